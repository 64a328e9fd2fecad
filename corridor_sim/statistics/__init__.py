"""Statistics of simulated indicators: intervals, comparison, selection, fit, worth, and what unknown inputs do.

Pure functions of numbers, one value a replication; scipy is imported by the
functions that need it, and each file when it or a name of it is first used. Add a method to
the file of its question and to `_NAMES` and below ``TYPE_CHECKING``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corridor_sim.statistics.economics import Portfolio as Portfolio
    from corridor_sim.statistics.economics import benefit_cost_ratio as benefit_cost_ratio
    from corridor_sim.statistics.economics import best_portfolio as best_portfolio
    from corridor_sim.statistics.economics import greedy_portfolio as greedy_portfolio
    from corridor_sim.statistics.economics import internal_rate_of_return as internal_rate_of_return
    from corridor_sim.statistics.economics import net_present_value as net_present_value
    from corridor_sim.statistics.economics import payback_year as payback_year
    from corridor_sim.statistics.effects import FirstOrder as FirstOrder
    from corridor_sim.statistics.effects import Information as Information
    from corridor_sim.statistics.effects import first_order as first_order
    from corridor_sim.statistics.effects import value_of_information as value_of_information
    from corridor_sim.statistics.effects import width_left as width_left
    from corridor_sim.statistics.effects import worth_by_chance as worth_by_chance
    from corridor_sim.statistics.group_effects import GroupEffects as GroupEffects
    from corridor_sim.statistics.group_effects import jansen_effects as jansen_effects
    from corridor_sim.statistics.group_effects import morris_effects as morris_effects
    from corridor_sim.statistics.group_effects import morris_points as morris_points
    from corridor_sim.statistics.group_effects import saltelli_points as saltelli_points
    from corridor_sim.statistics.group_effects import shapley as shapley
    from corridor_sim.statistics.group_effects import shapley_effects as shapley_effects
    from corridor_sim.statistics.history_matching import Judged as Judged
    from corridor_sim.statistics.history_matching import implausibility as implausibility
    from corridor_sim.statistics.history_matching import judge as judge
    from corridor_sim.statistics.input_intervals import InputInterval as InputInterval
    from corridor_sim.statistics.input_intervals import SignChance as SignChance
    from corridor_sim.statistics.input_intervals import input_interval as input_interval
    from corridor_sim.statistics.input_intervals import sign_chance as sign_chance
    from corridor_sim.statistics.intervals import BatchMeans as BatchMeans
    from corridor_sim.statistics.intervals import ControlledMean as ControlledMean
    from corridor_sim.statistics.intervals import Interval as Interval
    from corridor_sim.statistics.intervals import PairedDifference as PairedDifference
    from corridor_sim.statistics.intervals import Precision as Precision
    from corridor_sim.statistics.intervals import QuantileInterval as QuantileInterval
    from corridor_sim.statistics.intervals import Truncation as Truncation
    from corridor_sim.statistics.intervals import batch_means as batch_means
    from corridor_sim.statistics.intervals import bonferroni as bonferroni
    from corridor_sim.statistics.intervals import control_variate as control_variate
    from corridor_sim.statistics.intervals import correlation as correlation
    from corridor_sim.statistics.intervals import holm as holm
    from corridor_sim.statistics.intervals import mser as mser
    from corridor_sim.statistics.intervals import paired_interval as paired_interval
    from corridor_sim.statistics.intervals import quantile_interval as quantile_interval
    from corridor_sim.statistics.intervals import sequential_replications as sequential_replications
    from corridor_sim.statistics.intervals import t_half_width as t_half_width
    from corridor_sim.statistics.intervals import t_half_widths as t_half_widths
    from corridor_sim.statistics.intervals import t_interval as t_interval
    from corridor_sim.statistics.intervals import t_p_values as t_p_values
    from corridor_sim.statistics.intervals import t_quantile as t_quantile
    from corridor_sim.statistics.intervals import variance_ratio as variance_ratio
    from corridor_sim.statistics.intervals import welch_interval as welch_interval
    from corridor_sim.statistics.scores import coverage as coverage
    from corridor_sim.statistics.scores import crps as crps
    from corridor_sim.statistics.scores import interval_score as interval_score
    from corridor_sim.statistics.selection import BestComparison as BestComparison
    from corridor_sim.statistics.selection import DrawnComparison as DrawnComparison
    from corridor_sim.statistics.selection import KNConstants as KNConstants
    from corridor_sim.statistics.selection import Selection as Selection
    from corridor_sim.statistics.selection import compare_over_draws as compare_over_draws
    from corridor_sim.statistics.selection import compare_with_best as compare_with_best
    from corridor_sim.statistics.selection import dudewicz_dalal_h as dudewicz_dalal_h
    from corridor_sim.statistics.selection import dunnett_quantile as dunnett_quantile
    from corridor_sim.statistics.selection import kn_constants as kn_constants
    from corridor_sim.statistics.selection import kn_half_width as kn_half_width
    from corridor_sim.statistics.selection import least_draws as least_draws
    from corridor_sim.statistics.selection import ocba_fractions as ocba_fractions
    from corridor_sim.statistics.selection import rinott_h as rinott_h
    from corridor_sim.statistics.selection import select_best as select_best
    from corridor_sim.statistics.selection import two_stage_sizes as two_stage_sizes
    from corridor_sim.statistics.sensitivity import SobolIndices as SobolIndices
    from corridor_sim.statistics.sensitivity import ishigami as ishigami
    from corridor_sim.statistics.sensitivity import ishigami_indices as ishigami_indices
    from corridor_sim.statistics.sensitivity import sobol as sobol
    from corridor_sim.statistics.skewness import lean_p_values as lean_p_values
    from corridor_sim.statistics.skewness import mean_limits as mean_limits
    from corridor_sim.statistics.two_way import VarianceParts as VarianceParts
    from corridor_sim.statistics.two_way import crossed_variance as crossed_variance
    from corridor_sim.statistics.two_way import nested_variance as nested_variance
    from corridor_sim.statistics.validation import Fit as Fit
    from corridor_sim.statistics.validation import fit as fit
    from corridor_sim.statistics.validation import geh as geh

_NAMES = {
    "economics": (
        "Portfolio benefit_cost_ratio best_portfolio greedy_portfolio internal_rate_of_return net_present_value "
        "payback_year"
    ),
    "effects": "FirstOrder Information first_order value_of_information width_left worth_by_chance",
    "group_effects": "GroupEffects jansen_effects morris_effects morris_points saltelli_points shapley shapley_effects",
    "history_matching": "Judged implausibility judge",
    "input_intervals": "InputInterval SignChance input_interval sign_chance",
    "intervals": (
        "BatchMeans ControlledMean Interval PairedDifference Precision QuantileInterval Truncation batch_means "
        "bonferroni control_variate correlation holm mser paired_interval quantile_interval "
        "sequential_replications t_half_width t_half_widths t_interval t_p_values t_quantile variance_ratio "
        "welch_interval"
    ),
    "scores": "coverage crps interval_score",
    "selection": (
        "BestComparison DrawnComparison KNConstants Selection compare_over_draws compare_with_best "
        "dudewicz_dalal_h dunnett_quantile kn_constants kn_half_width least_draws ocba_fractions rinott_h "
        "select_best two_stage_sizes"
    ),
    "sensitivity": "SobolIndices ishigami ishigami_indices sobol",
    "skewness": "lean_p_values mean_limits",
    "two_way": "VarianceParts crossed_variance nested_variance",
    "validation": "Fit fit geh",
}
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
