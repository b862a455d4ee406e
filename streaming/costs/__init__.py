"""The cost of answers, and the limits on what may be spent.

`cost_of` makes the cost of a generation from its usage and a price: one of `STREAMING_PRICES`, or else one of the
package `genai-prices` if it is installed. `check_budgets` and `check_quota` refuse a submission that would spend more
than the site grants. `usage_by` sums up what was asked and spent, with the times that it took.
"""

from __future__ import annotations

from streaming.costs.budget_settings import BadBudget, Budget, budgets
from streaming.costs.cost import Cost, cost_of, with_cached
from streaming.costs.package import has_package_prices
from streaming.costs.price_settings import BadPrice, Price, prices
from streaming.costs.quota_setting import check_quota, quota
from streaming.costs.report import GROUPS, Usage, usage_by
from streaming.costs.spending import budget_warning, check_budgets
from streaming.costs.sums import used_since

__all__ = [
    "GROUPS",
    "BadBudget",
    "BadPrice",
    "Budget",
    "Cost",
    "Price",
    "Usage",
    "budget_warning",
    "budgets",
    "check_budgets",
    "check_quota",
    "cost_of",
    "has_package_prices",
    "prices",
    "quota",
    "usage_by",
    "used_since",
    "with_cached",
]
