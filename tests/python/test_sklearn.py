# SPDX-License-Identifier: Apache-2.0
"""offray.sklearn: scikit-learn's own checks, and what its users do."""

import pickle
from unittest.mock import patch

import numpy as np
import offray
import offray.sklearn
import pandas as pd
import polars as pl
import pytest
import sklearn
from offray.sklearn import ComputeSplit, ScalingLawRegressor
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from truths import HOFFMANN

RELEASE = tuple(int(part) for part in sklearn.__version__.split(".")[:2])

NO_SIZES = "its X holds zeros or negative numbers, which are no parameters or tokens"
NO_LOSSES = "its y holds zeros or negative numbers, which are no losses"
EXPECTED_TO_FAIL = dict.fromkeys(
    (
        *("check_dict_unchanged", "check_dont_overwrite_parameters", "check_dtype_object", "check_estimators_dtypes"),
        *("check_estimators_fit_returns_self", "check_estimators_nan_inf", "check_estimators_overwrite_params"),
        *("check_f_contiguous_array_estimator", "check_fit2d_predict1d", "check_fit_check_is_fitted", "check_fit_idempotent"),
        *("check_fit_score_takes_y", "check_methods_sample_order_invariance", "check_methods_subset_invariance"),
        *("check_n_features_in", "check_n_features_in_after_fitting", "check_readonly_memmap_input"),
        *("check_regressors_no_decision_function", "check_sample_weights_list", "check_sample_weights_not_an_array"),
        *("check_sample_weights_pandas_series", "check_supervised_y_2d"),
    ),
    NO_SIZES,
)
EXPECTED_TO_FAIL |= dict.fromkeys(
    (
        *("check_estimators_pickle", "check_pipeline_consistency", "check_regressor_data_not_an_array"),
        *("check_regressors_int", "check_regressors_train", "check_sample_weight_equivalence_on_dense_data"),
    ),
    NO_LOSSES,
)
EXPECTED_TO_FAIL["check_positive_only_tag_during_fit"] = "the message names the row and its value, in words of its own"
# Two columns, since the checks' data have more.
OF_TWO = ScalingLawRegressor(columns=(0, 1))
OPTIONS = {"expected_failed_checks": lambda estimator: EXPECTED_TO_FAIL} if RELEASE >= (1, 6) else {}

pytestmark = pytest.mark.filterwarnings("ignore::offray.IdentifiabilityWarning", "ignore::offray.ConvergenceWarning")


@pytest.mark.skipif(RELEASE < (1, 6), reason="scikit-learn 1.6 or newer takes a list of checks that do not apply")
@parametrize_with_checks([OF_TWO], **OPTIONS)
def test_checks_as_they_are(estimator, check):
    check(estimator)


@parametrize_with_checks([OF_TWO])
def test_checks_on_runs(estimator, check):
    """The same with the exponentials of what was validated, which are runs."""
    regressor = offray.sklearn._regressor
    validated, check_array = regressor.validated, regressor.check_array

    def losses(*arguments, **options):
        out = validated(*arguments, **options)
        return (out[0], positive(out[1])) if isinstance(out, tuple) else out

    def counts(*arguments, **options):
        return positive(check_array(*arguments, **options))

    def positive(values):
        return np.exp(np.clip(values, -20, 20))

    if check.func.__name__ == "check_positive_only_tag_during_fit":
        pytest.skip("negative numbers have become positive ones")
    with patch.object(regressor, "validated", losses), patch.object(regressor, "check_array", counts):
        check(estimator)


@pytest.fixture
def runs(grid):
    N, D, loss = grid
    return np.column_stack([N, D]), loss


def test_the_same_fit(runs):
    X, y = runs
    weight = np.linspace(1, 2, len(y))
    options = {"objective": "huber", "delta": 0.02, "log_loss": True, "fixed": {"E": 1.7}, "tied": [("alpha", "beta")]}
    model = ScalingLawRegressor(**options).fit(X, y, sample_weight=weight)
    plain = offray.fit(X[:, 0], X[:, 1], y, weight=weight, **options)
    np.testing.assert_array_equal(model.fit_.theta, plain.theta)
    assert model.params_ == dict(plain.params)
    value, std = model.predict(X[:5], return_std=True)
    expected = plain.predict(X[:5, 0], X[:5, 1])
    np.testing.assert_array_equal(value, expected.value)
    np.testing.assert_array_equal(std, expected.se)
    assert not np.shares_memory(value, model.predict(X[:5]))


def test_weight_zero_is_left_out(runs):
    X, y = runs
    weight = np.where(np.arange(len(y)) % 4 == 0, 0.0, 1.0)
    model = ScalingLawRegressor().fit(X, y, weight)
    np.testing.assert_array_equal(model.fit_.theta, ScalingLawRegressor().fit(X[weight > 0], y[weight > 0]).fit_.theta)
    with pytest.raises(ValueError, match=r"weight\[0\] = -1"):
        ScalingLawRegressor().fit(X, y, weight - 1)


@pytest.mark.parametrize("name", ["N", "D", "loss", "weight"])
def test_rows_are_named_as_given(runs, name):
    """Before those of weight 0 are left out."""
    given = {"N": runs[0][:, 0].copy(), "D": runs[0][:, 1].copy(), "loss": runs[1].copy(), "weight": np.ones(len(runs[1]))}
    given["weight"][:3] = 0
    given[name][7] = -1
    X = np.column_stack([given["N"], given["D"]])
    with pytest.raises(ValueError, match=rf"^{name}\[7\] = -1: "):
        ScalingLawRegressor().fit(X, given["loss"], given["weight"])


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_columns_by_name(runs, frame):
    X, y = runs
    table = frame({"n_tokens": X[:, 1], "seed": np.arange(len(y)), "model_size": X[:, 0]})
    model = ScalingLawRegressor().fit(table, y)
    assert model.columns_ == (2, 0)
    assert list(model.feature_names_in_) == ["n_tokens", "seed", "model_size"]
    np.testing.assert_array_equal(model.fit_.theta, ScalingLawRegressor().fit(X, y).fit_.theta)
    in_order = ScalingLawRegressor().fit(frame({"first": X[:, 0], "second": X[:, 1]}), y)
    np.testing.assert_array_equal(in_order.fit_.theta, model.fit_.theta)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("columns", [None, ["params", "tokens"], [2, 3]])
def test_columns_that_are_not_read_may_hold_anything(runs, frame, columns):
    X, y = runs
    unread = {"run": [f"run {k}" for k in range(len(y))], "lr": np.where(np.arange(len(y)) % 2, np.nan, 1e-3)}
    table = frame({**unread, "params": X[:, 0], "tokens": X[:, 1]})
    model = ScalingLawRegressor(columns=columns).fit(table, y)
    assert model.n_features_in_ == 4
    assert list(model.feature_names_in_) == ["run", "lr", "params", "tokens"]
    np.testing.assert_array_equal(model.fit_.theta, ScalingLawRegressor().fit(X, y).fit_.theta)
    np.testing.assert_array_equal(model.predict(table), model.fit_.predict(*X.T).value)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        ScalingLawRegressor(columns=["lr", "tokens"]).fit(table, y)
    with pytest.raises(ValueError, match="could not convert string to float"):
        ScalingLawRegressor(columns=["run", "tokens"]).fit(table, y)


def test_columns_of_an_array_that_are_not_read(runs):
    X, y = runs
    wide = np.column_stack([np.full(len(y), np.nan), X])
    model = ScalingLawRegressor(columns=[1, 2]).fit(wide, y)
    np.testing.assert_array_equal(model.predict(wide), ScalingLawRegressor().fit(X, y).predict(X))
    with pytest.raises(ValueError, match="3 features"):
        model.predict(X)


def test_columns_that_nothing_decides(runs):
    X, y = runs
    table = pd.DataFrame({"tokens": X[:, 1], "width": X[:, 0]})
    with pytest.raises(ValueError, match=r"X: no column is params by its name, among tokens, width; columns= says which are"):
        ScalingLawRegressor().fit(table, y)
    assert ScalingLawRegressor(columns=["width", "tokens"]).fit(table, y).columns_ == (1, 0)
    with pytest.raises(ValueError, match=r"columns: no column 'depth'; X has tokens, width"):
        ScalingLawRegressor(columns=["depth", "tokens"]).fit(table, y)
    with pytest.raises(ValueError, match=r"columns: no column 2; X has n_features = 2"):
        ScalingLawRegressor(columns=[0, 2]).fit(X, y)
    with pytest.raises(ValueError, match=r"columns: a column is a name or a whole number; got 0\.0"):
        ScalingLawRegressor(columns=[0.0, 1.0]).fit(X, y)
    assert ScalingLawRegressor(columns=np.array([0, 1])).fit(X, y).columns_ == (0, 1)
    with pytest.raises(ValueError, match=r"columns: 2 are needed, for params, tokens; got 1"):
        ScalingLawRegressor(columns=[0]).fit(X, y)
    with pytest.raises(ValueError, match=r"n_features = 3; 2 are needed, in this order: params, tokens"):
        ScalingLawRegressor().fit(np.column_stack([X, y]), y)


def test_laws_of_other_inputs(runs):
    X, y = runs
    C = 6 * X.prod(axis=1)
    loss = 1.7 + 50 * C**-0.1
    of_C = ScalingLawRegressor("E + A*C**-alpha").fit(C[:, None], loss)
    assert of_C.params_["alpha"] == pytest.approx(0.1, rel=1e-6)
    np.testing.assert_allclose(of_C.predict(C[:3, None]), loss[:3])
    table = pd.DataFrame({"loss_scale": C, "C": C})
    assert ScalingLawRegressor(offray.law("E + A*C**-alpha")).fit(table, loss).columns_ == (1,)
    repeated = ScalingLawRegressor("repeated_data").fit(np.column_stack([X, X[:, 1] / 3]), y)
    assert repeated.law_.name == "repeated_data"
    assert repeated.n_features_in_ == 3
    with pytest.raises(ValueError, match="unknown law 'chinchila'"):
        ScalingLawRegressor("chinchila").fit(X, y)


def test_long_double_stays(runs):
    X, y = runs
    assert ScalingLawRegressor().fit(X.astype(np.longdouble), y).fit_.theta.dtype == np.longdouble


def test_tags_follow_the_law():
    signed = offray.law("a + b*x", real=("a", "b", "x"))
    for model, positive in ((ScalingLawRegressor(), True), (ScalingLawRegressor(signed), False)):
        assert model._more_tags()["requires_positive_X"] is positive
        if RELEASE >= (1, 6):
            assert model.__sklearn_tags__().input_tags.positive_only is positive


@pytest.mark.parametrize("law", ["nope", "E +", None])
def test_a_law_that_is_none_is_told_by_fit(runs, law):
    model = ScalingLawRegressor(law)
    assert is_regressor(model)
    assert model._more_tags()["requires_positive_X"] is False
    assert "ScalingLawRegressor" in model._repr_html_()
    with pytest.raises(ValueError, match=r"law|formula"):
        model.fit(*runs)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore:One or more of the test scores")
def test_a_search_survives_one_bad_law(runs):
    search = GridSearchCV(ScalingLawRegressor(), {"law": ["nope", "chinchilla"]}, cv=ComputeSplit(2)).fit(*runs)
    assert search.best_params_["law"] == "chinchilla"


def test_a_ray_is_refused_and_ratios_are_warned_of(runs):
    X, y = runs
    N = np.geomspace(5e6, 8e7, 14)
    ray = np.column_stack([N, 20 * N])
    model = ScalingLawRegressor().fit(ray, offray.laws.chinchilla(ray.T, *HOFFMANN) + 0.005 * np.sin(np.arange(14)))
    assert model.predict(ray).shape == (14,)
    assert np.isnan(model.params_["beta"])
    with pytest.raises(offray.NotIdentifiedError, match="off that ray"):
        model.predict([[1e8, 1e10]])
    spread = ScalingLawRegressor().fit(X, y)
    with pytest.warns(offray.IdentifiabilityWarning, match="lies outside the runs' range"):
        spread.predict([[1e8, 1e18]])


def test_clone_pickle_and_not_fitted(runs):
    X, y = runs
    model = ScalingLawRegressor("kaplan", bounds={"alpha_N": (0.01, 1)}).fit(X, y)
    with pytest.raises(NotFittedError):
        clone(model).predict(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_search_pipeline_and_scores(runs):
    X, y = runs
    thousands = make_pipeline(FunctionTransformer(lambda X: 1e3 * X), ScalingLawRegressor())
    scores = cross_val_score(thousands, X / 1e3, y, cv=ComputeSplit(3), scoring="neg_root_mean_squared_error")
    assert (scores > -0.03).all()
    search = GridSearchCV(
        ScalingLawRegressor(), {"law": ["kaplan", "chinchilla"], "log_loss": [False, True]}, cv=ComputeSplit(3)
    )
    assert search.fit(X, y).best_params_["law"] == "chinchilla"


def folds(splitter, *arguments, **options):
    return [(list(train), list(test)) for train, test in splitter.split(*arguments, **options)]


def test_windows_grow_by_compute():
    rng = np.random.default_rng(3)
    C = rng.permutation(np.geomspace(1e18, 1e21, 24))
    order = np.argsort(C)
    X = np.column_stack([np.full(24, 1e8), C / 6e8])
    ours = folds(ComputeSplit(5), X)
    theirs = [(sorted(order[train]), sorted(order[test])) for train, test in TimeSeriesSplit(5).split(C)]
    assert ours == theirs
    assert ComputeSplit(5).get_n_splits() == 5
    assert folds(ComputeSplit(5), np.zeros((24, 2)), groups=C) == ours
    assert folds(ComputeSplit(5), C[:, None]) == ours
    table = pd.DataFrame({"tokens": X[:, 1], "flops": C, "N": X[:, 0]})
    assert folds(ComputeSplit(5), table) == ours
    assert folds(ComputeSplit(5, compute="flops"), table) == ours
    assert folds(ComputeSplit(5, compute=1), table.to_numpy()) == ours


@pytest.mark.parametrize("counts", [(9, 9, 9), (1, 20, 1, 1), (5, 1, 1, 1, 30), (30, 1, 1, 1), (2, 2, 2, 2, 2, 2, 2)])
@pytest.mark.parametrize("n_splits", [1, 2])
def test_equal_compute_stays_together(counts, n_splits):
    budget = np.repeat(np.arange(len(counts)), counts)
    C = 10.0 ** (18 + budget) * (1 + 1e-5 * np.sin(np.arange(len(budget))))  # as written with a few digits
    tested = []
    for train, test in folds(ComputeSplit(n_splits), None, groups=C):
        assert train
        assert test
        assert not {*budget[train]} & {*budget[test]}
        assert budget[train].max() < budget[test].min()
        tested += test
    assert len(set(tested)) == len(tested)
    assert tested[-1] == len(budget) - 1


def test_splits_that_cannot_be():
    with pytest.raises(ValueError, match="n_splits = 5 needs 6 distinct budgets; the runs have 3"):
        folds(ComputeSplit(), None, groups=np.repeat([1e18, 1e19, 1e20], 4))
    with pytest.raises(ValueError, match=r"compute\[1\] = 0"):
        folds(ComputeSplit(2), None, groups=[1e18, 0, 1e20])
    with pytest.raises(ValueError, match="n_splits must be at least 1; got 0"):
        folds(ComputeSplit(0), np.ones((5, 2)))
    with pytest.raises(ValueError, match=r"n_splits must be a whole number; got 2\.0"):
        folds(ComputeSplit(2.0), np.ones((5, 2)))
    with pytest.raises(ValueError, match="groups: the compute is in column 1 already"):
        folds(ComputeSplit(2, compute=1), np.ones((5, 2)), groups=np.ones(5))
    with pytest.raises(ValueError, match="must have rows and columns"):
        folds(ComputeSplit(2), [1e18, 1e19, 1e20])
    with pytest.raises(ValueError, match=r"columns: no column 'C'"):
        folds(ComputeSplit(2, compute="C"), pd.DataFrame({"flops": [1.0, 2.0, 3.0]}))


@pytest.mark.parametrize("counts", [5, 30])
def test_lengths_that_differ(counts):
    X = np.column_stack([np.full(25, 1e8), np.geomspace(1e9, 1e11, 25)])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        folds(ComputeSplit(2), X, groups=np.geomspace(1e18, 1e20, counts))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        folds(ComputeSplit(2), X, np.ones(counts))
