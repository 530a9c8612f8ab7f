# SPDX-License-Identifier: Apache-2.0
"""Laws of other inputs than N and D on the same runs."""

import numpy as np
import offray
import pytest
from helpers import run_cli

C = np.geomspace(1e17, 1e21, 20)
LOSS = 1.7 + 1000 * C**-0.2 + 0.003 * np.random.default_rng(0).normal(size=20)


def test_laws_of_compute():
    at = offray.compare(inputs={"C": C}, loss=LOSS, laws=["A*C**-a", "E + A*C**-a"])
    assert [score.law.name for score in at.scores] == ["E + A*C**-a", "A*C**-a"]
    assert [*at.scores[0].held_out] == ["largest C"]
    # By hand: the four largest, and each run in turn, predicted from the rest.
    rest = offray.fit(inputs={"C": C[:-4]}, loss=LOSS[:-4], law="E + A*C**-a")
    errors = rest.law(C[-4:], *rest.theta) - LOSS[-4:]
    assert at.scores[0].held_out["largest C"] == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-6)
    left = []
    for k in range(20):
        others = np.arange(20) != k
        fit = offray.fit(inputs={"C": C[others]}, loss=LOSS[others], law="E + A*C**-a")
        left.append(float(fit.law(C[k], *fit.theta)) - LOSS[k])
    assert at.scores[0].leave_group_out == pytest.approx(np.sqrt(np.mean(np.square(left))), rel=1e-6)
    assert "largest C" in str(at)
    assert at.plot() is not None


def test_laws_that_read_different_columns():
    rng = np.random.default_rng(1)
    N, k, width = 10 ** rng.uniform(7, 9, 40), 10 ** rng.uniform(0.5, 2.5, 40), 10 ** rng.uniform(2, 3.5, 40)
    loss = offray.laws.chinchilla((N, k * N), 1.7, 400, 400, 0.34, 0.28) + 3 * width**-0.5 + 0.003 * rng.normal(size=40)
    both = offray.law("E + A*N**-a + B*D**-b + F*width**-f", inputs=("width",))
    laws = ["chinchilla", both, "E + A*N**-a"]
    at = offray.compare(N, k * N, loss, inputs={"width": width}, laws=laws)
    assert at.scores[0].law is both
    assert [*at.scores[0].held_out] == ["largest compute", "largest N", "off-ray TPP", "largest width"]
    assert at["chinchilla"].rss == pytest.approx(offray.fit(N, k * N, loss).rss, rel=1e-12)
    table = offray.compare({"N": N, "D": k * N, "loss": loss, "width": width}, laws=laws)
    assert [score.held_out for score in table.scores] == [score.held_out for score in at.scores]
    with pytest.raises(TypeError, match="width"):
        offray.compare(N, k * N, loss, laws=[both])
    with pytest.raises(ValueError, match="does not read width"):
        offray.compare(N, k * N, loss, inputs={"width": width})


def test_on_the_command_line(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text("flops,loss\n" + "\n".join(f"{c:.6g},{y:.6g}" for c, y in zip(C, LOSS, strict=True)) + "\n")
    shown = run_cli("compare", str(file), "--laws", "E + A*C**-a, A*C**-a")
    assert shown.returncode == 0, shown.stderr
    assert "largest C" in shown.stdout
    named = run_cli("compare", str(file), "--laws", "E + A*compute**-a", "--column", "compute=flops")
    assert named.returncode == 0, named.stderr
    assert "largest compute" in named.stdout
