# SPDX-License-Identifier: Apache-2.0
"""Which column is which: usual names, several candidates, counts and losses out of other columns."""

import numpy as np
import offray
import pytest


def read(columns, **options):
    """One run in columns of these names."""
    return offray.read({name: [value] for name, value in columns.items()}, **options)


@pytest.mark.parametrize(
    ("role", "names"),
    [
        (
            "params",
            "params parameters N n_params num_params nParams model_size ModelSize non_embedding_params total_params "
            "config.n_params config.N config.model.num_parameters params.n_params model/params parameter_count train/n_params",
        ),
        (
            "tokens",
            "tokens D n_tokens train_tokens training_tokens TokensSeen config.tokens params.tokens train/tokens_seen",
        ),
        (
            "loss",
            "loss L val_loss eval/loss eval/eval_loss validation_loss summary.eval/loss metrics.val_loss final_loss test/loss "
            "Val-Loss train_loss train/loss loss_validation eval.nll",
        ),
    ],
)
def test_usual_names(role, names):
    for name in names.split():
        others = {other: 1.0 for other in ("params", "tokens", "loss") if other != role}
        assert read({**others, name: 7.0})[role].tolist() == [7.0], name


def test_names_that_are_none():
    for name in ("eval/tokens", "tokens_per_second", "flops", "lr", "perplexity", "batch_tokens", "params_label", "d", "D/N"):
        with pytest.raises(ValueError, match="no such column"):
            read({"loss": 1, "N": 1, name: 7})


def test_given_names():
    columns = {"Model Size (M)": 1, "seen": 2, "summary.eval/pile/loss": 3}
    for loss in ("summary.eval/pile/loss", "eval/pile/loss", "Summary.Eval/pile/loss"):
        assert read(columns, params="model size (M)", tokens="seen", loss=loss)["loss"].tolist() == [3]
    with pytest.raises(ValueError, match=r"^tokens: no column 'sene'; the columns are .*; near it: 'seen'$"):
        read(columns, params="Model Size (M)", tokens="sene")
    with pytest.raises(ValueError, match="tokens: column 'seen' already has another role"):
        read(columns, params="seen", tokens="seen")
    many = {f"c{k}": k for k in range(40)}
    with pytest.raises(ValueError, match=r"c11, \.\.\. \(40 in all\)"):
        read(many)


def test_several_candidates():
    N, D = {"N": 1}, {"tokens": 2}
    taken = read({**N, **D, "train/loss": 3, "eval/loss": 4})
    assert taken["loss"].tolist() == [4]
    assert taken.notes == ("loss is read from 'eval/loss', not from 'train/loss'; loss= decides",)
    assert taken.spelt["loss"] == "eval/loss"
    assert read({**N, **D, "train/loss": 3, "eval/loss": 4}, loss="train/loss").notes == ()
    assert read({**N, **D, "loss": 3, "val_loss": 4})["loss"].tolist() == [3]
    same = read({**N, "D": 2, "train_tokens": 2, "loss": 3})  # which hold the same
    assert (same["tokens"].tolist(), same.notes) == ([2], ())
    assert read({**N, **D, "loss": 3, "weight": 1, "weights": 2})["weight"].tolist() == [1]
    for columns, message in (
        (
            {**N, **D, "eval/loss": 3, "test_loss": 4},
            "loss: columns 'eval/loss', 'test_loss' could all be it; loss=\"eval/loss\"",
        ),
        ({"N": 5, "non_embedding_params": 4, **D, "loss": 3}, "params: columns 'N', 'non_embedding_params' could all be it"),
        ({**N, **D, "loss": 3, "weights": 1, "Weight": 2}, "weight: columns 'weights', 'Weight' could all be it"),
    ):
        with pytest.raises(ValueError, match=message):
            read(columns)


def test_a_choice_is_said_where_a_table_is_fitted():
    N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(2e8, 1e11, 4)))
    loss = offray.laws.chinchilla((N, D), 1.69, 406.4, 410.7, 0.34, 0.28)
    with pytest.warns(UserWarning, match="loss is read from 'eval/loss', not from 'train/loss'"):
        offray.fit({"N": N, "D": D, "eval/loss": loss, "train/loss": loss + 0.1})


def test_all_that_is_missing_is_said_at_once():
    with pytest.raises(ValueError, match=r"^params, tokens: no such column") as caught:
        read({"dense_params": 1, "step": 2, "loss": 3})
    assert 'params="dense_params" would take it; steps="step" with batch= and length= would count tokens' in str(caught.value)
    with pytest.raises(ValueError, match=r'^tokens: .* flops="compute_budget" would take tokens from C = 6 N D$'):
        read({"N": 1, "compute_budget": 2, "loss": 3})
    with pytest.raises(ValueError, match=r'^tokens: .* flops="C" would take tokens'):
        read({"N": 1, "C": 2, "loss": 3})
    with pytest.raises(
        ValueError, match=r'a law in N alone needs no tokens, such as law="E \+ A\*N\*\*-alpha"; loss="ppl" with'
    ):
        read({"num_params": 1, "ppl": 3})
    with pytest.raises(ValueError, match=r'^params, tokens: .* a law of compute alone needs neither N nor D, such as law="E'):
        read({"C": 2, "loss": 3})
    with pytest.raises(ValueError, match="one run per row is needed, with its N, D and loss"):
        read({"size": 1, "30x": 3, "60x": 3})
    with pytest.raises(ValueError, match="in what looks like the export of a chart, with a run in each column"):
        read({"Step": 1, "a - loss": 3, "a - loss__MIN": 3, "a - loss__MAX": 3})
    with pytest.raises(ValueError, match="in what looks like the export of a chart, with a run in each column"):
        read({"Step": 1, "big - eval/loss": 3, "small - eval/loss": 3})


def test_tokens_from_steps():
    columns = {"N": 1, "step": 100, "bs": 8, "ctx": 1024, "loss": 3}
    for options, tokens in (
        ({"steps": "step", "batch": "bs", "length": "ctx"}, 819200),
        ({"batch": "bs", "length": 1024}, 819200),
        ({"steps": "step", "batch": "0.5M"}, 50e6),
        ({"steps": 1000, "batch": 2, "length": 3}, 6000),
    ):
        assert read(columns, **options)["tokens"].tolist() == [tokens]
    for options, message in (
        ({"steps": "step"}, "steps need batch="),
        ({"steps": "step", "batch": 2, "tokens": "bs"}, "tokens: a column of their own, or steps with batch and length"),
        ({"steps": "step", "batch": "bss"}, "batch: no column 'bss'"),
        ({"steps": "step", "batch": -2}, "batch must be positive and finite; got -2"),
    ):
        with pytest.raises(ValueError, match=message):
            read(columns, **options)
    with pytest.raises(ValueError, match=r'step\[0\] = 0: .*; where="step>0" leaves such rows out'):
        read({**columns, "step": 0}, batch=3)


def test_counts_from_compute():
    assert read({"N": 1e8, "C": "6e18 FLOPs", "loss": 3}, flops="C")["tokens"].tolist() == [1e10]
    assert read({"D": 1e10, "C": 6e18, "loss": 3}, flops="C")["params"].tolist() == [1e8]
    both = read({"N": 1e8, "D": 3e10, "C": 6e18, "loss": 3}, flops="C")
    assert (both["tokens"].tolist(), both["flops"].tolist()) == ([3e10], [6e18])
    with pytest.raises(ValueError, match=r"^params: no such column"):
        read({"C": 6e18, "loss": 3}, flops="C")
    with pytest.raises(ValueError, match=r"C\[0\] = 'much'"):
        read({"N": 1e8, "C": "much", "loss": 3}, flops="C")
    curve = {"n_params": [1e8, 2e8, 4e8, 8e8], "C": [6e18] * 4, "loss": [3.2, 3.0, 3.0, 3.2]}
    assert pytest.approx(np.sqrt(8e16)) == offray.isoflop(curve, flops="C").parabolas[0].N


def test_losses_in_other_units():
    N, D = {"N": 1}, {"D": 2}
    log2 = np.log(2)
    for columns, options, nats in (
        ({"val_bpc": 1.5}, {"loss": "val_bpc", "loss_unit": "bits"}, 1.5 * log2),
        ({"bits_per_byte": 1.5}, {"loss": "bits_per_byte", "loss_unit": "bits", "bytes_per_token": 4}, 6 * log2),
        ({"bpb": 1.5, "bytes": 4}, {"loss": "bpb", "loss_unit": "bits", "bytes_per_token": "bytes"}, 6 * log2),
        ({"loss": 2}, {"loss_unit": "bits"}, 2 * log2),
        ({"ppl": 20}, {"loss": "ppl", "loss_unit": "perplexity"}, np.log(20)),
        ({"ppl": 20}, {"loss": "ppl", "loss_unit": "nats"}, 20),
    ):
        assert read({**N, **D, **columns}, **options)["loss"].tolist() == [pytest.approx(nats)]
    for columns, options, message in (
        ({"ppl": 20}, {"loss": "ppl"}, "'ppl' is by its name no loss in nats; loss_unit=\"perplexity\" converts it"),
        ({"bpb": 1}, {"loss": "bpb"}, 'loss_unit="bits" converts it'),
        ({"bpb": 1}, {"loss": "bpb", "loss_unit": "bits"}, "by its name per byte; bytes_per_token= makes it one per token"),
        ({"loss": 1}, {"bytes_per_token": 4}, "bytes_per_token is for losses in bits per byte"),
        ({"loss": 1}, {"loss_unit": "bytes"}, "loss_unit must be one of nats, bits, perplexity; got 'bytes'"),
        ({"ppl": 0.5}, {"loss": "ppl", "loss_unit": "perplexity"}, r"ppl\[0\] = 0.5: a perplexity is above 1"),
    ):
        with pytest.raises(ValueError, match=message):
            read({**N, **D, **columns}, **options)


def test_units_in_headings():
    for name, value, params in (
        ("params (M)", 70, 70e6),
        ("N [billions]", 0.07, 70e6),
        ("params_m", 70, 70e6),
        ("Model size (in millions)", "70", 70e6),
        ("params_b", 0.07, 70e6),
        ("params (M)", "70M", 70e6),  # the cell says it itself
        ("params (M)", 70e6, 70e6),
    ):
        runs = read({name: value, "tokens_b": 1.4, "loss": 3})
        assert runs["params"].tolist() == [pytest.approx(params, rel=1e-15)], name
        assert runs["tokens"].tolist() == [1.4e9]
        assert runs.notes[-1] == "tokens: 'tokens_b' is in units of 1e9 by its name"
    assert read({"size (K)": 70, "D": 1, "loss": 3}, params="size (K)")["params"].tolist() == [70e3]
    assert read({"model": 5, "D": 1, "loss": 3}, params="model")["params"].tolist() == [5]
