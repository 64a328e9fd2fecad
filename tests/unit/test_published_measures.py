"""Every measure at the borders that is published is an improvement of a scenario, or named with the reason why not."""

import re
from pathlib import Path

import pytest

from corridor_sim.files.scenario_files import load_scenario

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FIRST, SECOND = "roadmap_2018_2023", "roadmap_2024_2026"

SIMULATED = {
    # What was or is to be done: the scenario and an improvement (or another table of it) that does it.
    "Yarag-Kazmalyar rebuilt, by any of its ratings": (FIRST, "improvements.yarag_kazmalyar_stage_one_exit"),
    "five truck lanes more at Yarag-Kazmalyar": (FIRST, "improvements.yarag_kazmalyar_stage_one_entry"),
    "a lane more out of Russia at Yarag-Kazmalyar": (FIRST, "improvements.yarag_kazmalyar_exit_lane_2022"),
    "freight by Tagirkent-Kazmalyar, with the post opposite": (FIRST, "improvements.tagirkent_kazmalyar_freight"),
    "the second and third post opened together": (FIRST, "improvements.khanoba_freight"),
    "empty trucks by Novo-Filya round the clock": (FIRST, "improvements.novo_filya_empties"),
    "Tagirkent-Kazmalyar takes bookings": (SECOND, "improvements.tagirkent_kazmalyar_queue_booking"),
    "work at Yarag-Kazmalyar goes faster in 2025": (SECOND, "improvements.yarag_kazmalyar_faster_exit"),
    "a second bridge at Astara, by either rating": (SECOND, "improvements.astara_second_bridge_out"),
    "more trucks out of Iran taken over at Astara": (SECOND, "improvements.astara_acceptance_out_of_iran"),
    "freight stopped and resumed in March 2026": ("disrupted_2026", "improvements.astara_out_of_iran_closed"),
    "Verkhny Lars rebuilt": ("ways_round_2023", "checkpoints.verkhny_lars_ru"),
    "Samur-2 and Yalama-2, border": ("target_2028", "improvements.yalama_2_border"),
    "Samur-2 and Yalama-2, tracks": ("target_2028", "improvements.yalama_2_tracks_samur_exit"),
    "the terminal at the railway of Astara": ("target_2028", "improvements.astara_terminal_done"),
    "the sea checkpoint of Makhachkala": ("target_2028", "improvements.makhachkala_sea_checkpoint"),
    "transit by rail of 5 Mt a year": ("target_2028", "flows.train_south_transit"),
    "Tagirkent-Kazmalyar rebuilt, lanes and trucks": (
        "roadmap_2027_2028_growth",
        "improvements.tagirkent_kazmalyar_rebuilt_exit",
    ),
    "Novo-Filya rebuilt": ("roadmap_2027_2028_growth", "improvements.novo_filya_rebuilt_exit"),
    "a new Iranian terminal at Astara": ("roadmap_2027_2028_growth", "improvements.astara_new_terminal_exit"),
    "the line Alat-Astara rebuilt": ("target_2028", "improvements.alat_astara_rebuilt"),
}
NAMED = {
    FIRST: (
        "weighing at Yarag-Kazmalyar",
        "bridge at Samur",
        "duty by more staff",
        "two temporary truck lanes",
        "new buildings of Khanoba",
        "road of 24 km between Khanoba and Samur",
        "perishables first",
        "green corridor for plant products",
        "green corridor and order of control",
        "scanners at Astara and Bilasuvar",
        "smart turns at Astara",
        "e-TIR",
        "recognition of operators",
        "fees at Julfa",
        "first phase of the terminal at the railway of Astara",
        "Verkhny Lars rebuilt",
    ),
    SECOND: (
        "post capacity and new terminals",
        "X-ray upgrades",
        "South-Astara post",
        "TIR green lanes",
        "customs working group",
        "action plan of the three countries",
        "navigation seals",
        "electronic queue of Verkhny Lars",
        "new Iranian terminal at Astara",
        "new checkpoint of Bileh Savar",
        "two more truck lanes at Tagirkent-Kazmalyar",
        "Tagirkent-Kazmalyar and Novo-Filya rebuilt",
        "inspection in 10 minutes",
        "400 to 1,900 trucks a day",
        "3,000 after the works",
        "Sumgait-Yalama rebuilt",
        "rail terminal of Astara",
        "sea checkpoint of Makhachkala",
        "130 reefers a day",
        "110 empty trucks a day",
        "Aghband-Kalala",
        "Karauzek",
        "Temir-Baba",
        "Zabaikalsk",
        "two more tracks at Sarakhs",
        "faster transit in Turkmenistan",
    ),
}


@pytest.mark.parametrize("measure", SIMULATED)
def test_a_measure_with_a_figure_is_in_a_scenario_with_its_source(measure):
    name, path = SIMULATED[measure]
    table, id = path.split(".")
    found = getattr(load_scenario(name), table)[id]
    assert found.source
    assert found.status


@pytest.mark.parametrize(("name", "measure"), [(name, one) for name, all_ in NAMED.items() for one in all_])
def test_a_measure_that_is_left_out_is_named_at_the_head_of_its_file_with_the_reason(name, measure):
    text = (SCENARIOS / f"{name}.toml").read_text(encoding="utf-8")
    head = re.sub(r"\s+", " ", text[: text.index("schema = 1")].replace("#", ""))
    assert measure in head
    assert "eft out, " in head
