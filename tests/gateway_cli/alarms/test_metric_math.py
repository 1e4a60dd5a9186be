import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_cli.local.alarms.metric_math import MetricMathError, Values, evaluate

SERIES: dict[str, Values] = {"a": [1, 2, None, 4], "b": [2, 0, 3, None], "none": [None] * 4, "a_b": [7, 7, 7, 7]}


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("a", [1, 2, None, 4]),
        ("a_b", [7, 7, 7, 7]),
        ("2.5", [2.5] * 4),
        (".5 + 1e1", [10.5] * 4),
        ("1 + 2 * 3 - 4 / 2", [5] * 4),
        ("(1 + 2) * 3", [9] * 4),
        ("10 - 3 - 2", [5] * 4),
        ("-a + 1", [0, -1, None, -3]),
        ("- - 2", [2] * 4),
        ("a * b", [2, 0, None, None]),
        # By zero there is nothing.
        ("a / b", [0.5, None, None, None]),
        ("a < b", [1, 0, None, None]),
        ("a>=2", [0, 1, None, 1]),
        ("a != 2", [1, 0, None, 1]),
        ("a == 2 OR a == 4", [0, 1, None, 1]),
        ("a > 1 AND a < 4", [0, 1, None, 0]),
        ("a > 1 && a < 4 || a == 1", [1, 1, None, 0]),
        ("1 OR 0 AND 0", [1] * 4),
        ("IF(a > 1, b, 9)", [9, 0, None, None]),
        ("IF(a > 1, b)", [None, 0, None, None]),
        ("IF(a, 1, 0)", [1, 1, None, 1]),
        ("FILL(a, 0)", [1, 2, 0, 4]),
        ("FILL(b, REPEAT)", [2, 0, 3, 3]),
        ("FILL(none, REPEAT)", [None] * 4),
        ("FILL(none, 3)", [3] * 4),
        ("MAX([a, b])", [2, 2, 3, 4]),
        ("MIN([a, b, 1])", [1, 0, 1, 1]),
        ("SUM([a, b])", [3, 2, 3, 4]),
        ("AVG([a, b])", [1.5, 1, 3, 4]),
        ("MAX([none])", [None] * 4),
        ("MAX(a)", [4] * 4),
        ("MIN(none)", [None] * 4),
        ("IF(FILL(a, 0) >= 2 AND FILL(b, 0) >= 0, MAX([a, b]) / 2, 0)", [0, 1, 0, 2]),
    ],
)
def test_expressions(expression: str, values: Values) -> None:
    assert evaluate(expression, SERIES, 4) == values


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "it ends too early"),
        ("a +", "it ends too early"),
        ("a b", "'b' is not expected there"),
        ("unknown", "'unknown' is neither a metric nor a function"),
        ("(a", "')' is missing at the end"),
        ("IF(a, 1, 2, 3)", "the function IF with 4 arguments is not known here"),
        ("ANOMALY_DETECTION_BAND(a)", "the function ANOMALY_DETECTION_BAND with 1 arguments is not known here"),
        ("FILL(a 0)", "',' is missing before '0'"),
        ("[]", "a list without a series"),
        ("MAX([])", "a list without a series"),
        ("[a, b]", "several series are not one"),
        ("[a, b] + 1", "several series are not one"),
        ("a $ b", "'$ b' is not understood"),
        ("SEARCH('{x}')", "is not understood"),
        ("a ^ 2", "'^' is not expected there"),
        ("FILL(a, LINEAR)", "'LINEAR' is neither"),
    ],
)
def test_what_is_no_expression_here(expression: str, message: str) -> None:
    with pytest.raises(
        MetricMathError, match=".*" + message.replace("(", r"\(").replace(")", r"\)").replace("$", r"\$").replace("^", r"\^")
    ):
        evaluate(expression, SERIES, 4)


@given(st.text(alphabet="ab1.()[],+-*/<>=& |IFMAX", max_size=30))
def test_any_text_is_an_expression_or_an_error(expression: str) -> None:
    try:
        values = evaluate(expression, SERIES, 4)
    except MetricMathError:
        return
    assert len(values) == 4
