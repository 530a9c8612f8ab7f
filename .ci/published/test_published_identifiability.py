# SPDX-License-Identifier: Apache-2.0
"""Published runs: what identifiability has to say of them."""

import pytest
from published import data_files, read_data
from test_identifiability import quiet_fit

GRID = ("chinchilla_massivetext", "gadre_c4", "gadre_redpajama", "gadre_refinedweb", "l2l_fineweb_edu", "l2l_slimpajama")
GRID += ("l2l_starcoder", "gemstones_dolma", "marin_nemotron", "porian_openwebtext2", "porian_refinedweb", "steplaw_dense")


@pytest.mark.parametrize("stem", data_files())
def test_every_file(stem):
    N, D, loss, U = read_data(stem)
    report = quiet_fit(N, D, loss).identifiability
    words = " ".join(report.warnings)
    if stem in ("cerebras_gpt_pile", "gadre_sweep_tpp20", "datablations_oscar"):
        assert report.findings[0] == "one_ray"
        assert "cannot be told apart" in words
    elif stem == "pythia_pile":
        assert report.findings[0] == "one_token_count"
        assert "the term in D is a constant" in words
    elif stem == "chinchilla_massivetext_outliers":
        assert "few_runs" in report.findings
    elif stem in GRID:
        about_the_law = {"lack_of_fit", "dependent_runs", "outliers", "repeated_rows"}
        loose = {"exponent_unknown"} if stem == "steplaw_dense" else set()
        assert set(report.findings) <= about_the_law | loose
        assert report.identified == (not loose)
    else:
        assert stem == "datablations_c4"
        repeated = quiet_fit(N, D, loss, unique_tokens=U, law="repeated_data")
        assert repeated.converged
        assert "lack_of_fit" in repeated.findings
    assert str(report)
