"""Versions of what is kept of an item, and who sees which of them."""

from server.exceptions import Case
from server.kept import Kept, Snapshot, Unwritten
from server.known import Known


def _kept(taken: int, title: str) -> Kept:
    return Kept("P", Known(title=title), Case(), taken=taken)


def test_what_is_told_anew_as_of_what_is_written_is_found_before_that() -> None:
    unwritten = Unwritten(told=5)
    anew = _kept(5, "anew")
    unwritten.publish({"P": anew})
    assert unwritten.find("P", Snapshot(last=5, told=5)) is anew
    unwritten.written(5)
    # whoever looked before that was written sees it all the same
    assert unwritten.find("P", Snapshot(last=5, told=5)) is anew


def test_what_is_told_anew_stays_for_those_who_do_not_see_the_next_lines() -> None:
    unwritten = Unwritten(told=5)
    anew = _kept(5, "anew")
    unwritten.publish({"P": anew})
    later = anew.changing(6, unwritten.told)
    unwritten.publish({"P": later})
    assert unwritten.find("P", Snapshot(last=6, told=5)) is later
    assert unwritten.find("P", Snapshot(last=5, told=5)) is anew
    unwritten.withdraw({"P": later})
    assert unwritten.find("P", Snapshot(last=6, told=5)) is anew
