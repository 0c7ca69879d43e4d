import pytest

from tests.cli.conftest import Line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("organisation", "add", "x", "--kind", "fund"), "'fund' 不是可选的值；可选：'sme'"),
        (("organisation", "add"), "错误：缺少"),
        (("fund", "show", "--wish", "F1"), "没有选项 --wish"),
        (("fund", "wish"), "没有命令 'wish'"),
        (("fund", "show", "F1", "F2"), "多出的参数：F2"),
        (("fund", "call", "F1", "--amount", "1", "--due", "soon"), "--due' 的值不对："),
    ],
)
def test_a_usage_error_is_said_in_the_language_that_was_asked_for(
    line: Line, words: tuple[str, ...], said: str
) -> None:
    asked = line(*words, "--lang", "zh-CN")

    assert (asked.code, "用法：pilotway" in asked.err, said in asked.err) == (2, True, True), asked.err
    assert "Usage: pilotway" in line(*words).err
