"""corridor_sim: freight on a border corridor, and what upgrades of its checkpoints do to it.

    import corridor_sim as cs

    base = cs.load_scenario("baseline_2023")
    results = cs.run(base, replications=50, rng=7)
    results.summary()

The public names are those of `__all__`; each is imported when it is first used,
so that ``import corridor_sim`` stays fast. To make a name public, add it under its
module in `_NAMES` and below ``TYPE_CHECKING``.
"""

from __future__ import annotations

import functools
import importlib
import logging
import warnings
from typing import TYPE_CHECKING, Any

from corridor_sim.core.plugins import load_plugins
from corridor_sim.results.accessors import bind

if TYPE_CHECKING:
    from corridor_sim import statistics as statistics
    from corridor_sim.core.errors import CorridorError as CorridorError
    from corridor_sim.core.errors import CorridorWarning as CorridorWarning
    from corridor_sim.core.errors import EngineRefusal as EngineRefusal
    from corridor_sim.core.errors import MissingExtra as MissingExtra
    from corridor_sim.core.errors import Problem as Problem
    from corridor_sim.core.errors import ScenarioError as ScenarioError
    from corridor_sim.core.errors import SimulationError as SimulationError
    from corridor_sim.engines import queues as queues
    from corridor_sim.files.design_files import design as design
    from corridor_sim.files.input_tables import import_tables as import_tables
    from corridor_sim.files.network import network_geojson as network_geojson
    from corridor_sim.files.network import network_json as network_json
    from corridor_sim.files.scenario_files import check as check
    from corridor_sim.files.scenario_files import dumps as dumps
    from corridor_sim.files.scenario_files import load_corridor as load_corridor
    from corridor_sim.files.scenario_files import load_scenario as load_scenario
    from corridor_sim.files.scenario_files import loads as loads
    from corridor_sim.files.scenario_files import save_scenario as save_scenario
    from corridor_sim.files.scenario_files import schema as schema
    from corridor_sim.indicators import Options as Options
    from corridor_sim.model.arrivals import AllAtStart as AllAtStart
    from corridor_sim.model.arrivals import Arrivals as Arrivals
    from corridor_sim.model.arrivals import Batches as Batches
    from corridor_sim.model.arrivals import Poisson as Poisson
    from corridor_sim.model.arrivals import RegularArrivals as RegularArrivals
    from corridor_sim.model.arrivals import Renewal as Renewal
    from corridor_sim.model.arrivals import Trace as Trace
    from corridor_sim.model.channels import Channels as Channels
    from corridor_sim.model.checkpoints import Checkpoint as Checkpoint
    from corridor_sim.model.corridor import Corridor as Corridor
    from corridor_sim.model.corridor import Source as Source
    from corridor_sim.model.corridor import StaffPool as StaffPool
    from corridor_sim.model.designs import Design as Design
    from corridor_sim.model.drivers_hours import DriversHours as DriversHours
    from corridor_sim.model.flows import Balk as Balk
    from corridor_sim.model.flows import CrossingShares as CrossingShares
    from corridor_sim.model.flows import Flow as Flow
    from corridor_sim.model.flows import Profile as Profile
    from corridor_sim.model.improvements import AddLanes as AddLanes
    from corridor_sim.model.improvements import ChangeBans as ChangeBans
    from corridor_sim.model.improvements import Closure as Closure
    from corridor_sim.model.improvements import DailyAcceptance as DailyAcceptance
    from corridor_sim.model.improvements import DemandGrowth as DemandGrowth
    from corridor_sim.model.improvements import GateByQueue as GateByQueue
    from corridor_sim.model.improvements import Improvement as Improvement
    from corridor_sim.model.improvements import InspectionShare as InspectionShare
    from corridor_sim.model.improvements import LanesByQueue as LanesByQueue
    from corridor_sim.model.improvements import LegCapacity as LegCapacity
    from corridor_sim.model.improvements import LegSpeed as LegSpeed
    from corridor_sim.model.improvements import NewTimetable as NewTimetable
    from corridor_sim.model.improvements import OneStopPost as OneStopPost
    from corridor_sim.model.improvements import OpeningHours as OpeningHours
    from corridor_sim.model.improvements import OpenLeg as OpenLeg
    from corridor_sim.model.improvements import OpenPost as OpenPost
    from corridor_sim.model.improvements import PreArrival as PreArrival
    from corridor_sim.model.improvements import PriorityClass as PriorityClass
    from corridor_sim.model.improvements import PriorityLane as PriorityLane
    from corridor_sim.model.improvements import RemoveLanes as RemoveLanes
    from corridor_sim.model.improvements import ServiceTimeChange as ServiceTimeChange
    from corridor_sim.model.improvements import SetCapacity as SetCapacity
    from corridor_sim.model.improvements import SlotBooking as SlotBooking
    from corridor_sim.model.improvements import Works as Works
    from corridor_sim.model.improvements import YardPlaces as YardPlaces
    from corridor_sim.model.legs import Leg as Leg
    from corridor_sim.model.legs import LegBan as LegBan
    from corridor_sim.model.legs import Rail as Rail
    from corridor_sim.model.legs import Road as Road
    from corridor_sim.model.legs import Sea as Sea
    from corridor_sim.model.legs import SingleTrack as SingleTrack
    from corridor_sim.model.legs import Timetable as Timetable
    from corridor_sim.model.places import Place as Place
    from corridor_sim.model.scenario import RunSettings as RunSettings
    from corridor_sim.model.scenario import Scenario as Scenario
    from corridor_sim.model.service_times import Deterministic as Deterministic
    from corridor_sim.model.service_times import Empirical as Empirical
    from corridor_sim.model.service_times import Erlang as Erlang
    from corridor_sim.model.service_times import Exponential as Exponential
    from corridor_sim.model.service_times import Gamma as Gamma
    from corridor_sim.model.service_times import Hyperexponential as Hyperexponential
    from corridor_sim.model.service_times import Lognormal as Lognormal
    from corridor_sim.model.service_times import Mixture as Mixture
    from corridor_sim.model.service_times import ServiceTime as ServiceTime
    from corridor_sim.model.service_times import Shifted as Shifted
    from corridor_sim.model.service_times import Triangular as Triangular
    from corridor_sim.model.service_times import Uniform as Uniform
    from corridor_sim.model.service_times import Weibull as Weibull
    from corridor_sim.model.stage_lanes import Breakdown as Breakdown
    from corridor_sim.model.stage_lanes import ExtraLanes as ExtraLanes
    from corridor_sim.model.stage_lanes import Outage as Outage
    from corridor_sim.model.stage_lanes import Reserved as Reserved
    from corridor_sim.model.stage_queues import Patience as Patience
    from corridor_sim.model.stage_queues import QueueGate as QueueGate
    from corridor_sim.model.stage_queues import WayBack as WayBack
    from corridor_sim.model.stages import Stage as Stage
    from corridor_sim.model.takeovers import Acceptance as Acceptance
    from corridor_sim.model.takeovers import Slots as Slots
    from corridor_sim.model.upgrades import Upgrade as Upgrade
    from corridor_sim.plan.build import make_plan as make_plan
    from corridor_sim.records.queue_counts import QueueCounts as QueueCounts
    from corridor_sim.records.queue_counts import queue_counts as queue_counts
    from corridor_sim.records.release_study import ReleaseStudy as ReleaseStudy
    from corridor_sim.records.study_rows import read_release_study as read_release_study
    from corridor_sim.report import report as report
    from corridor_sim.report.figure_list import figures as figures
    from corridor_sim.report.input_list import diff as diff
    from corridor_sim.results.appraisal import Appraisal as Appraisal
    from corridor_sim.results.calibrations import Calibration as Calibration
    from corridor_sim.results.cash_flows import appraise as appraise
    from corridor_sim.results.comparison import Comparison as Comparison
    from corridor_sim.results.delivered import delivered as delivered
    from corridor_sim.results.delivered import delivered_ratios as delivered_ratios
    from corridor_sim.results.disruptions import Disruption as Disruption
    from corridor_sim.results.drawn_worth import APPRAISAL_ROWS as APPRAISAL_ROWS
    from corridor_sim.results.drawn_worth import DrawnWorth as DrawnWorth
    from corridor_sim.results.law_fits import LawFits as LawFits
    from corridor_sim.results.programme import Programme as Programme
    from corridor_sim.results.queue_predictions import QueuePrediction as QueuePrediction
    from corridor_sim.results.queue_predictions import RollingScores as RollingScores
    from corridor_sim.results.release_fits import ReleaseFit as ReleaseFit
    from corridor_sim.results.release_times import ReleaseTimes as ReleaseTimes
    from corridor_sim.results.results import Results as Results
    from corridor_sim.results.selected import BestUnderInputs as BestUnderInputs
    from corridor_sim.results.selected import Selected as Selected
    from corridor_sim.results.uncertain import Uncertainty as Uncertainty
    from corridor_sim.results.validations import Validation as Validation
    from corridor_sim.statistics import theory as theory
    from corridor_sim.study.attribution import Attribution as Attribution
    from corridor_sim.study.attribution import attribute as attribute
    from corridor_sim.study.attribution import where_the_delay_is as where_the_delay_is
    from corridor_sim.study.behaving_draws import appraise_with_behaviour as appraise_with_behaviour
    from corridor_sim.study.behaviour import Behaviour as Behaviour
    from corridor_sim.study.behaviour import compare_with_behaviour as compare_with_behaviour
    from corridor_sim.study.calibration import calibrate as calibrate
    from corridor_sim.study.designs import design_points as design_points
    from corridor_sim.study.disruption import disruption as disruption
    from corridor_sim.study.door_to_door import door_to_door as door_to_door
    from corridor_sim.study.equilibria import equilibria as equilibria
    from corridor_sim.study.equilibrium import Equilibrium as Equilibrium
    from corridor_sim.study.equilibrium import equilibrium as equilibrium
    from corridor_sim.study.law_fits import fit_law as fit_law
    from corridor_sim.study.observation_files import read_observations as read_observations
    from corridor_sim.study.observations import Observation as Observation
    from corridor_sim.study.portfolio import portfolio as portfolio
    from corridor_sim.study.precision import run_until as run_until
    from corridor_sim.study.queue_prediction import WeeklyQueue as WeeklyQueue
    from corridor_sim.study.queue_prediction import predict_queue as predict_queue
    from corridor_sim.study.queue_prediction import rolling_scores as rolling_scores
    from corridor_sim.study.release_fits import fit_release_study as fit_release_study
    from corridor_sim.study.release_times import release_times as release_times
    from corridor_sim.study.run import compare as compare
    from corridor_sim.study.run import run as run
    from corridor_sim.study.selecting import select as select
    from corridor_sim.study.store import load as load_results  # noqa: F401
    from corridor_sim.study.sweeps import sweep as sweep
    from corridor_sim.study.uncertainty import uncertainty as uncertainty
    from corridor_sim.study.validation import validate as validate
    from corridor_sim.study.warm_up import warm_up as warm_up
    from corridor_sim.study.years import compare_years as compare_years
    from corridor_sim.study.years import in_year as in_year
    from corridor_sim.study.years import uncertainty_years as uncertainty_years
    from corridor_sim.verify import verify as verify

_NAMES = {
    "study.run": "compare run",
    "study.precision": "run_until",
    "study.sweeps": "sweep",
    "study.behaviour": "Behaviour compare_with_behaviour",
    "study.behaving_draws": "appraise_with_behaviour",
    "study.equilibria": "equilibria",
    "study.equilibrium": "Equilibrium equilibrium",
    "study.designs": "design_points",
    "study.observations": "Observation",
    "study.uncertainty": "uncertainty",
    "study.years": "compare_years in_year uncertainty_years",
    "study.calibration": "calibrate",
    "study.observation_files": "read_observations",
    "study.law_fits": "fit_law",
    "study.release_fits": "fit_release_study",
    "study.release_times": "release_times",
    "records.study_rows": "read_release_study",
    "records.release_study": "ReleaseStudy",
    "results.release_fits": "ReleaseFit",
    "results.release_times": "ReleaseTimes",
    "study.queue_prediction": "WeeklyQueue predict_queue rolling_scores",
    "study.disruption": "disruption",
    "study.door_to_door": "door_to_door",
    "results.disruptions": "Disruption",
    "study.validation": "validate",
    "study.warm_up": "warm_up",
    "study.selecting": "select",
    "study.portfolio": "portfolio",
    "results.programme": "Programme",
    "model.upgrades": "Upgrade",
    "results.selected": "BestUnderInputs Selected",
    "study.attribution": "Attribution attribute where_the_delay_is",
    "results.results": "Results",
    "results.appraisal": "Appraisal",
    "results.cash_flows": "appraise",
    "results.drawn_worth": "APPRAISAL_ROWS DrawnWorth",
    "results.comparison": "Comparison",
    "results.calibrations": "Calibration",
    "results.law_fits": "LawFits",
    "results.queue_predictions": "QueuePrediction RollingScores",
    "records.queue_counts": "QueueCounts queue_counts",
    "results.delivered": "delivered delivered_ratios",
    "results.uncertain": "Uncertainty",
    "results.validations": "Validation",
    "indicators": "Options",
    "core.errors": "CorridorError CorridorWarning EngineRefusal MissingExtra Problem ScenarioError SimulationError",
    "files.design_files": "design",
    "files.input_tables": "import_tables",
    "files.scenario_files": "check dumps load_corridor load_scenario loads save_scenario schema",
    "model.designs": "Design",
    "model.scenario": "RunSettings Scenario",
    "model.corridor": "Corridor Source StaffPool",
    "model.stages": "Stage",
    "model.stage_lanes": "Breakdown ExtraLanes Outage Reserved",
    "model.stage_queues": "Patience QueueGate WayBack",
    "model.takeovers": "Acceptance Slots",
    "model.channels": "Channels",
    "model.places": "Place",
    "model.checkpoints": "Checkpoint",
    "model.drivers_hours": "DriversHours",
    "model.legs": "Leg LegBan Rail Road Sea SingleTrack Timetable",
    "model.flows": "Balk CrossingShares Flow Profile",
    "model.arrivals": "AllAtStart Arrivals Batches Poisson RegularArrivals Renewal Trace",
    "model.service_times": (
        "Deterministic Empirical Erlang Exponential Gamma Hyperexponential Lognormal Mixture ServiceTime "
        "Shifted Triangular Uniform Weibull "
    ),
    "model.improvements": (
        "AddLanes ChangeBans Closure DailyAcceptance DemandGrowth GateByQueue Improvement InspectionShare LanesByQueue "
        "LegCapacity LegSpeed "
        "NewTimetable OneStopPost OpenLeg OpenPost OpeningHours PreArrival PriorityClass PriorityLane "
        "RemoveLanes ServiceTimeChange SetCapacity SlotBooking Works YardPlaces "
    ),
    "plan.build": "make_plan",
    "report.figure_list": "figures",
    "report.input_list": "diff",
    "files.network": "network_geojson network_json",
}
_MODULES = {
    "queues": "engines.queues",
    "theory": "statistics.theory",
    "report": "report",
    "statistics": "statistics",
    "verify": "verify",
}
_HOME = {name: (module, name) for module, names in _NAMES.items() for name in names.split()}
_HOME["load_results"] = "study.store", "load"

__version__ = "0.2.0.dev0"
__all__ = sorted([*_HOME, *_MODULES])

_BOUND = {
    "plot": ("plots.accessor", "Plots"),
    "describe": ("report.text", "describe"),
    "describe_comparison": ("report.text", "describe_comparison"),
    "describe_uncertainty": ("report.uncertain", "describe_uncertainty"),
    "describe_validation": ("report.validation", "describe_validation"),
    "source_line": ("plots.source_line", "source_line"),
    "first_screen": ("report.first_screen", "first_screen"),
    "to_html": ("report.page", "html_of"),
    "to_dataset": ("exchange.datasets", "to_dataset"),
    "write_netcdf": ("exchange.datasets", "write_netcdf"),
    "to_geojson": ("exchange.maps", "to_geojson"),
    "geopackage_bytes": ("exchange.geopackages", "geopackage_bytes"),
    "workbook_bytes": ("exchange.workbooks", "workbook_bytes"),
    "arrow_table": ("exchange.arrow", "arrow_table"),
    "compare": ("results.comparison", "Comparison"),
}
"""What higher rooms add to `Results` and `Comparison`: see `results/accessors.py`."""

logging.getLogger("corridor_sim").addHandler(logging.NullHandler())


def _made_in(module: str, attribute: str) -> Any:
    return getattr(importlib.import_module(f"corridor_sim.{module}"), attribute)


for _name, _made in _BOUND.items():
    bind(_name, functools.partial(_made_in, *_made))


def __getattr__(name: str) -> Any:
    if name == "queueing":
        warnings.warn("corridor_sim.queueing is now corridor_sim.theory", DeprecationWarning, stacklevel=2)
        return __getattr__("theory")
    if name in _MODULES:
        value: Any = importlib.import_module(f"corridor_sim.{_MODULES[name]}")
    elif name in _HOME:
        value = _made_in(*_HOME[name])
    else:
        raise AttributeError(f"module 'corridor_sim' has no attribute {name!r}")
    globals()[name] = value
    load_plugins()
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
