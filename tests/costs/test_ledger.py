"""What deleted rows had used still counts in budgets and limits, however the rows go."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.db.models.deletion import Collector
from django.db.models.signals import pre_delete
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.access import visitors
from streaming.archive import (
    FORMATS,
    bundles,
    delete_conversations,
    forget_old_entries,
    leftovers,
    prune,
    read_archive,
    unused_for,
)
from streaming.costs import check_budgets, spending, used_since
from streaming.errors import NotFound, OverBudget, TooManyRequests
from streaming.intake import delete_idle, limits
from streaming.journal import Batch
from streaming.models import (
    Conversation,
    Generation,
    LedgerEntry,
    Message,
    Owner,
    SideCall,
    Status,
    Summary,
    from_now,
    receive_deletions,
)
from streaming.protocol import Usage
from streaming.settlement import Settlement, settle
from streaming.supervisor import sweeper
from tests.engine import ALICE, BOB
from tests.proxies import proxy_of

pytestmark = pytest.mark.django_db(transaction=True)

SINCE = {"day": from_now(-86_400)}


@pytest.fixture(autouse=True)
def budgets(settings: Any) -> Iterator[None]:
    settings.STREAMING_BUDGETS = {"owner": {"day": {"tokens": 10**9}}}
    yield
    spending._site_sums.clear()


def spend(owner: Owner = ALICE, key: str = "c1", *, hours_ago: float = 0, **columns: Any) -> Conversation:
    """Stores an answer, a title and a summary that used 100, 10 and 1 tokens."""
    user = {"user_id": owner.user_id} if owner.user_id else {}
    conversation = Conversation.objects.create(key=key, owner_key=owner.key, **user)
    message = Message.objects.create(conversation=conversation, role="assistant")
    shared = {"conversation": conversation, "status": "finished"}
    used = {"input_tokens": 60, "output_tokens": 40, "cost": "0.1"}
    answer = Generation.objects.create(**shared | used | {"message": message} | columns)
    SideCall.objects.create(**shared, purpose="title", input_tokens=10, cost="0.01")
    Summary.objects.create(**shared, generation=answer, upto=message, output_tokens=1, cost="0.001")
    for kind in (Generation, SideCall, Summary):
        kind.objects.filter(conversation=conversation).update(created_at=from_now(-3600 * hours_ago))
    return conversation


def used(owner: Owner | None = ALICE) -> tuple[Decimal, Decimal]:
    """The tokens and the money of the last 24 hours."""
    found = used_since(owner, SINCE)["day"]
    return found["tokens"], round(found["money"], 6)


ALL = (Decimal(111), Decimal("0.111"))


def _in_the_admin() -> None:
    root = get_user_model().objects.create_superuser("root")
    client = Client()
    client.force_login(root)
    chosen = list(Conversation.objects.values_list("pk", flat=True))
    body = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert client.post("/admin/streaming/conversation/", body).status_code == 302


def _by_a_proxy() -> None:
    with proxy_of(Conversation) as proxy:
        receive_deletions([proxy])
        proxy.objects.all().delete()


def _by_proxies_of_rows() -> None:
    for kind in (Summary, Generation, SideCall):
        with proxy_of(kind) as proxy:
            proxy.objects.all().delete()


DELETIONS: dict[str, Callable[[], object]] = {
    "page": lambda: delete_idle(ALICE, "c1"),
    "code": lambda: sum(delete_conversations(ALICE)),
    "admin": _in_the_admin,
    "pruning": lambda: list(prune(unused_for(datetime.timedelta(days=-1)))),
    "rows": lambda: Conversation.objects.all().delete(),
    "row": lambda: Conversation.objects.get().delete(),
    "message": lambda: [Message.objects.get().delete(), SideCall.objects.all().delete()],
    "each": lambda: [kind.objects.all().delete() for kind in (Summary, Generation, SideCall)],
    "each row": lambda: [kind.objects.get().delete() for kind in (Summary, Generation, SideCall)],
    "proxy": _by_a_proxy,
    "proxies of rows": _by_proxies_of_rows,
}


@pytest.mark.urls("project.urls")
@pytest.mark.parametrize("way", DELETIONS)
def test_what_was_spent_still_counts_once(way: str) -> None:
    spend(model="small")
    spend(BOB, "b").delete()
    DELETIONS[way]()
    assert not Generation.objects.exists()
    assert used() == ALL
    assert used(None) == (222, Decimal("0.222"))


def test_what_is_deleted_with_a_message_counts_once() -> None:
    """The deletion of a message takes its replies with it, their answers, and the summaries for these answers."""
    conversation, answer = spend(), Message.objects.get()
    question = Message.objects.create(conversation=conversation, role="user", parent=answer)
    reply = Message.objects.create(conversation=conversation, role="assistant", parent=question)
    shared = {"conversation": conversation, "status": "finished"}
    row = Generation.objects.create(**shared, message=reply, input_tokens=1000)
    Summary.objects.create(**shared, generation=row, upto=answer, input_tokens=5)
    question.delete()
    assert (Message.objects.get(), LedgerEntry.objects.count()) == (answer, 2)
    Message.objects.all().delete()
    assert LedgerEntry.objects.count() == 4
    assert used() == (ALL[0] + 1005, ALL[1])


def test_spent_budget_stays_spent(settings: Any) -> None:
    settings.STREAMING_BUDGETS = {"owner": {"month": {"tokens": 100}}}
    spend()
    delete_idle(ALICE, "c1")
    with pytest.raises(OverBudget):
        check_budgets(ALICE)
    check_budgets(BOB)


def test_limits_of_a_minute_and_of_a_day_count_it(settings: Any) -> None:
    settings.STREAMING_BUDGETS = {}
    settings.STREAMING_MAX_TOKENS_PER_DAY, settings.STREAMING_MAX_PROMPTS_PER_MINUTE = 111, 2
    spend(hours_ago=23)
    delete_idle(ALICE, "c1")
    with pytest.raises(TooManyRequests, match="for a day") as caught:
        limits._check_per_day(ALICE)
    assert 0 < (caught.value.retry_after or 0) <= 3600
    limits._check_per_minute(ALICE)
    spend(key="c2")
    delete_idle(ALICE, "c2")
    limits._check_per_minute(ALICE)
    spend(key="c3")
    with pytest.raises(TooManyRequests, match="2 messages a minute") as caught:
        limits._check_per_minute(ALICE)
    assert 0 < (caught.value.retry_after or 0) <= 60


def test_count_of_a_minute_is_one_statement(settings: Any, django_assert_num_queries: Any) -> None:
    settings.STREAMING_MAX_PROMPTS_PER_MINUTE = 5
    with django_assert_num_queries(1):
        limits._check_per_minute(ALICE)


def test_erasure_of_a_user_leaves_only_the_sum_of_the_site() -> None:
    user = get_user_model().objects.create_user("ada")
    ada = Owner.of_user(user.pk)
    spend(ada)
    spend(ada, "c2")
    delete_idle(ada, "c2")
    user.delete()
    assert used(ada) == (0, 0)
    assert used(None) == (222, Decimal("0.222"))


def test_visitor_who_deletes_and_signs_in_is_charged_as_user() -> None:
    ada = Owner.of_user(get_user_model().objects.create_user("ada").pk)
    spend()
    delete_idle(ALICE, "c1")
    visitors.adopt(ALICE, ada)
    assert (used(), used(ada)) == ((0, 0), ALL)


def _together(*works: Callable[[], object]) -> list[object]:
    """Runs functions at the same time, each on a thread and a connection of its own."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        barrier.wait(10)
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return [task.result(60) for task in [pool.submit(run, work) for work in works]]


def _unless_gone(work: Callable[[], object]) -> Callable[[], object]:
    def tried() -> object:
        try:
            return work()
        except NotFound:
            return None

    return tried


@pytest.mark.parametrize("turn", range(5))
def test_deletions_at_the_same_time_count_once(turn: int) -> None:
    for number in range(4):
        spend(key=f"c{number}")
    by_page = [_unless_gone(lambda key=f"c{number}": delete_idle(ALICE, key)) for number in range(4)]  # type: ignore[misc]
    _together(*by_page, lambda: sum(delete_conversations(ALICE)), lambda: sum(delete_conversations(ALICE)))
    assert not Conversation.objects.exists()
    assert used() == (444, Decimal("0.444"))


@pytest.mark.parametrize("turn", range(5))
def test_deletion_while_the_visitor_signs_in_is_charged_to_the_user(turn: int) -> None:
    ada = Owner.of_user(get_user_model().objects.create_user("ada").pk)
    for number in range(4):
        spend(key=f"c{number}")
    _together(lambda: sum(delete_conversations(ALICE)), lambda: visitors.adopt(ALICE, ada))
    assert sum(delete_conversations(ada)) <= 4
    assert (used(), used(ada)) == ((0, 0), (444, Decimal("0.444")))


@contextmanager
def during_a_deletion(work: Callable[[], object]) -> Iterator[None]:
    """Lets another connection begin `work` after a conversation's use was entered, before its rows are deleted.

    If the deletion has locked what the work changes, the work ends after it. Then half a second passes in vain.
    """

    def begin(**kwargs: Any) -> None:
        begun.append(pool.submit(run))
        wait(begun, 0.5)

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    begun: list[Future[None]] = []
    with ThreadPoolExecutor(1) as pool:
        pre_delete.connect(begin, sender=Conversation)
        try:
            yield
        finally:
            pre_delete.disconnect(begin, sender=Conversation)
    [done] = begun
    done.result()


def test_answer_that_ends_after_it_was_deleted_by_a_proxy_counts() -> None:
    spend(status="running", input_tokens=None, output_tokens=None, cost=None)
    running = Generation.objects.get()
    with proxy_of(Generation) as proxy:
        proxy.objects.get().delete()
    ending = Settlement(status=Status.FINISHED, parts=(), usage=Usage(input_tokens=60, output_tokens=40))
    assert not settle(running, ending, Batch(1, []))
    assert used() == (111, Decimal("0.011"))


def test_answer_that_ends_during_the_deletion_counts() -> None:
    spend(status="running", input_tokens=None, output_tokens=None, cost=None)
    running = Generation.objects.get()
    ending = Settlement(status=Status.FINISHED, parts=(), usage=Usage(input_tokens=60, output_tokens=40))
    with during_a_deletion(lambda: settle(running, ending, Batch(1, []))):
        Conversation.objects.get().delete()
    assert used() == (111, Decimal("0.011"))


def test_visitor_who_signs_in_during_the_deletion_is_charged_as_user() -> None:
    ada = Owner.of_user(get_user_model().objects.create_user("ada").pk)
    spend()
    with during_a_deletion(lambda: visitors.adopt(ALICE, ada)):
        Conversation.objects.get().delete()
    assert (used(), used(ada)) == ((0, 0), ALL)


def test_what_changes_before_the_deletion_counts_as_it_is_then() -> None:
    ada = Owner.of_user(get_user_model().objects.create_user("ada").pk)
    spend(status="running", input_tokens=None, output_tokens=None, cost=None)
    first, second = (Collector(using="default", origin=Conversation()) for _ in range(2))
    for collector in (first, second):
        collector.collect(list(Conversation.objects.all()))
    visitors.adopt(ALICE, ada)
    Generation.objects.update(status="finished", input_tokens=100, cost="0.1")
    for collector in (first, second):
        collector.delete()
    assert (used(), used(ada)) == ((0, 0), ALL)


def test_time_of_what_was_used_stays() -> None:
    spend(hours_ago=25)
    spend(key="c2", hours_ago=23)
    Conversation.objects.all().delete()
    assert used() == ALL


def statements(key: str) -> int:
    """The number of statements that delete a conversation."""
    with CaptureQueriesContext(connection) as captured:
        Conversation.objects.get(key=key).delete()
    return len(captured)


def test_conversation_costs_few_statements_and_one_of_long_ago_none(settings: Any) -> None:
    for key in ("new", "old", "none"):
        spend(key=key)
    Conversation.objects.filter(key="old").update(updated_at=timezone.now() - datetime.timedelta(days=40))
    new, old = statements("new"), statements("old")
    settings.STREAMING_BUDGETS = {}
    none = statements("none")
    assert (new, old) == (none + 5, none)


@pytest.mark.parametrize(
    ("limits", "days"),
    [
        ({}, 0),
        ({"STREAMING_BUDGETS": {"site": {"day": {"money": 1}}}}, 32),
        ({"STREAMING_QUOTA": "a.function"}, 32),
        ({"STREAMING_MAX_TOKENS_PER_DAY": 9}, 2),
        ({"STREAMING_MAX_PROMPTS_PER_MINUTE": 9}, 2),
    ],
)
def test_nothing_is_kept_that_no_limit_counts(settings: Any, limits: dict[str, Any], days: int) -> None:
    settings.STREAMING_BUDGETS = {}
    for name, value in limits.items():
        setattr(settings, name, value)
    for age in (1, 3, 33):
        spend(key=f"{age}", hours_ago=24 * age)
    Conversation.objects.all().delete()
    assert LedgerEntry.objects.count() == 3 * sum(age < days for age in (1, 3, 33))


def test_entries_that_no_limit_counts_any_more_are_deleted(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spend(hours_ago=24)
    spend(key="c2", hours_ago=24 * 31)
    Conversation.objects.all().delete()
    assert list(forget_old_entries()) == []
    settings.STREAMING_BUDGETS, settings.STREAMING_MAX_TOKENS_PER_DAY = {}, 9
    assert list(forget_old_entries()) == [3]
    settings.STREAMING_MAX_TOKENS_PER_DAY = None
    monkeypatch.setattr(leftovers, "ROWS_PER_DELETION", 2)
    assert list(forget_old_entries()) == [2, 1]
    assert forget_old_entries in sweeper.CHORES


def test_quota_of_the_sites_own_can_count_a_week(settings: Any) -> None:
    settings.STREAMING_BUDGETS, settings.STREAMING_QUOTA = {}, "a.function"
    spend(hours_ago=6 * 24)
    delete_idle(ALICE, "c1")
    assert used_since(ALICE, {"week": timezone.now() - datetime.timedelta(days=7)})["week"]["tokens"] == 111


def test_entry_has_no_content() -> None:
    spend(model="secret", error_detail="secret")
    Conversation.objects.all().delete()
    columns = {"id", "owner_key", "is_answer", "input_tokens", "output_tokens", "cost", "created_at"}
    assert {field.name for field in LedgerEntry._meta.get_fields()} == columns


def test_what_comes_back_from_an_archive_counts_once() -> None:
    spend()
    archive = "".join(FORMATS["jsonl"](bundles(Conversation.objects.all()))).encode()
    Conversation.objects.all().delete()
    assert used() == ALL
    read_archive(archive.splitlines())
    assert used() == ALL
    assert not LedgerEntry.objects.exists()
    Conversation.objects.all().delete()
    assert used() == ALL
