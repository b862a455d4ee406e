"""Texts for the tests: answers as models write them, and one short example of each construct and of its odd forms."""

from __future__ import annotations

import random

RICH = r"""## How a *stream* becomes a page

Plain text comes **at once**, `code` and [links](https://example.com/a) when they are whole.
See https://example.com/x_y for ~~less~~ more.[^1]

1. The server settles each block.
2. The page never touches it again:

   ```js
   morph(tail);
   ```

- [x] tables
- [ ] everything else

| language | hello | share |
|:--|:-:|--:|
| Deutsch | **Guten Tag** | 12.5 % |
| العربية | مرحبا بالعالم | 7 % |

```python
import asyncio


async def main(name: str) -> None:
    # Greets somebody.
    await asyncio.sleep(0.1)  # a moment
    print(f"Hello, {name}!", 42)
```

The Gaussian $e^{-x^2}$ has a closed integral, which costs $5 or $10:

$$
\int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi}
$$

هذه فقرة بالعربية مع كلمة English في وسطها و`code` أيضا.

> Quoted, with **weight**.

![a picture](https://example.org/p.png)

[^1]: A footnote.
"""

ANSWERS = [
    RICH,
    """Sure! Here's how to **reverse a linked list** in Python:

```python
def reverse(head):
    previous = None
    while head:
        head.next, previous, head = previous, head, head.next
    return previous
```

### How it works

1. **Start** with `previous = None`.
2. For each node:
   - save `head.next`,
   - point it *backwards*,
   - move on.
3. Return `previous` — it is the new head.

The cost is $O(n)$ time and \\(O(1)\\) space.
Compare this with the recursive version, which needs \\(O(n)\\) stack frames!

> **Note:** this changes the list in place. See [the docs](https://docs.python.org/3/) for `copy.deepcopy`.
""",
    """| Model | Context | Price per 1M tokens |
|-------|--------:|---------------------|
| Small | 32k | $0.15 |
| Large | 200k | $3.00 |

So for 10,000 requests of about 2,000 tokens, you'd pay ~$3 or ~$60. That's a factor of 20!

- [x] Compare the prices
- [ ] Decide

Let me know if you need *anything* else :)
""",
    """To solve $ax^2 + bx + c = 0$, use

$$
x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}
$$

\\[ \\Delta = b^2 - 4ac \\]

where $a \\neq 0$. If `Δ < 0`, there's no real solution. *Example*: for $a=1, b=2, c=5$ we get $\\Delta = -16$.
""",
    """**Zusammenfassung**

Das geht so: zuerst *messen*, dann ~~raten~~ ändern. Siehe https://example.com/a_b_c?x=1&y=2 (oder www.example.org).

1. Öffne `settings.py`
2. Setze `DEBUG = False`

   ```bash
   python manage.py check --deploy
   ```

3. Fertig

---

Noch Fragen?
""",
    """هذا جواب قصير عن **البرمجة**:

- استعمل `print()` للطباعة
- لا تنس المسافات

Mixed: the word مرحبا means *hello*.

日本語も**大丈夫**です。`コード`も表示できます。🙂👍🏽
""",
    """Footnotes work[^1], and so do several[^two].

> First level
>
> > Second level with `code`
>
> Back again

Term: a colon at the end:

    indented code
    second line

Line one\\
line two after a hard break, and an escaped \\*star\\*, an entity &copy; and 3 < 5 > 2 & more.

[^1]: Here is the note.
[^two]: And the *other*.
""",
]

EXAMPLES = [
    *("# One\n", "## Two ##\n", "#no heading\n", "####### seven\n", "#\n", "Setext\n===\n", "Setext\n---\nmore\n"),
    *("a\nb\n\nc\n", "  indented\n", "a  \nb\n", "a\\\nb\n", "***\n", "- - -\n", "_ _ _\n", "a\n***\nb\n", "+++\n"),
    *(
        "    code\n\n    more\n",
        "a\n    b\n",
        "```\ncode\n```\n",
        "~~~ py\nx\n~~~\n",
        "````\n```\n````\n",
        "```\nopen\n",
    ),
    *(
        "``` a`b\n",
        "```js\n\n\n```\nafter\n",
        "> ```\n> in\nout\n",
        "- ```\n  in\n  ```\n- b\n",
        "   ```\n   x\n   ```\n",
    ),
    *("> a\nb\n", "> a\n\n> b\n", ">a\n>> b\n> c\n", "> # h\n> - x\n", ">\n", "a\n> b\n", "> a\n---\n"),
    *(
        "- a\n- b\n",
        "- a\n\n- b\n",
        "* a\n+ b\n",
        "1. a\n2) b\n",
        "1. a\n1. b\n\n   c\n",
        "-\n- b\n",
        "- a\n  - b\n    - c\n",
    ),
    *("10) ten\n", "a\n1. b\n", "a\n2. b\n", "- a\n\n      code\n", "-one\n", "- a\n\n\n  b\n", "1234567890. no\n"),
    *(
        "*a*\n",
        "**a**\n",
        "***a***\n",
        "_a_\n",
        "a_b_c\n",
        "*a **b** c*\n",
        "**a *b* c**\n",
        "* a*\n",
        "*a\n",
        "**a*\n",
    ),
    *(
        "2 * 3 * 4\n",
        "a * b\n",
        "foo*bar*baz\n",
        "__a__\n",
        "*a_b*\n",
        "**Note:** text\n",
        "a** b **c\n",
        "***a** b*\n",
    ),
    *("`a`\n", "``a`b``\n", "`a\n", "`` ` ``\n", "`a\nb`\n", "`*a*`\n", "*`a*`\n", "` `\n", "`<b>`\n"),
    *(
        "[a](b)\n",
        '[a](b "c")\n',
        "[a](<b c>)\n",
        "[a](b c)\n",
        "[a]\n",
        "[a](\n",
        "[*a*](b)\n",
        "[a](b(c)d)\n",
        "[]()\n",
    ),
    *("[a]: /u\n\n[a]\n", "[a]: /u\n\n[b][a] and [a][]\n", "[a]: <>\n\n[a]\n", "[a]: /u 'x\ny'\n\n[a]\n", "[ ]\n"),
    *("![a](b)\n", "![a](https://pics.example/x.png)\n", "![](b)\n", "!a\n", "wow!\n", "[![a](b)](c)\n", "![a]\n"),
    *(
        "<https://a.b>\n",
        "<a@b.c>\n",
        "<b>x</b>\n",
        "a < b\n",
        "a<b\n",
        "<!-- x -->\n",
        "<div>\n*a*\n</div>\n",
        "<http:\n",
    ),
    *("&amp; &copy; &#65;\n", "a & b\n", "&nope;\n", "\\*a\\*\n", "\\a\n", "a\\\n", "\\[x\n", "&amp\n"),
    *(
        "| a |\n|---|\n| b |\n",
        "a | b\n--|:-:\nc | d\n",
        "| a |\n| b |\n",
        "|a|b|\n|-|-|\n|c\n\nd\n",
        "a|b\n-|-\n# h\n",
    ),
    *(
        "| a\\|b | `c` |\n|---|---|\n| *d* | e |\n",
        "x\n| a | b |\n|---|---|\n",
        "a | b\nc\n",
        "|\n",
        "- | a |\n  |---|\n  | b |\n",
    ),
    *("~~a~~\n", "~~a\n", "~a~\n", "a ~~b~~ c\n", "~~~~a~~~~\n", "~5 and ~7\n"),
    *("- [ ] a\n- [x] b\n", "- [ ]\n", "- [y] a\n", "1. [X] a\n", "[ ] a\n"),
    *(
        "https://a.b/c\n",
        "see www.a.b.\n",
        "(https://a.b/c_(d))\n",
        "http://\n",
        "x@https://a.b\n",
        "https://a.b/*c*\n",
    ),
    *("a[^1]\n\n[^1]: b\n", "[^1]\n", "[^a b]\n", "[^1]: a\n[^2]: b\n"),
    *(
        "$x$\n",
        "$5 and $10\n",
        "$ x $\n",
        "$$x$$\n",
        "$$\nx\n$$\n",
        "$$\nx\n\ny\n",
        "\\(x\\)\n",
        "\\[x\\]\n",
        "\\[\nx\n\\]\n",
    ),
    *("a $x\n", "100$ or 20$\n", "$x$5\n", "$$\n", "- $$\n  x\n  $$\n- b\n"),
    *(
        "tab\tin\n",
        "\ttab code\n",
        "-\ta\n",
        "a\r\nb\r\n\r\nc\r\n",
        "a\rb\n",
        "\n\n\na\n",
        "   \n",
        "é漢🙂\n",
        "a\u200bb\n",
    ),
]

PROSE = (
    "When you come back, in this tab or another one, the page replays what you missed and then follows along. "
    "It doesn't matter which of your tabs you press it in; the request is a row in the database, and whoever writes "
    "the answer looks at it several times a second (or more often, if there's a reason to).\n\n"
)


def pieces(text: str, seed: int = 0, sizes: tuple[int, ...] = (2, 3, 4, 5, 6, 7)) -> list[str]:
    """Cuts a text as models do, into pieces of four or five characters on average."""
    choice = random.Random(seed)
    cut, at = [], 0
    while at < len(text):
        size = choice.choice(sizes)
        cut.append(text[at : at + size])
        at += size
    return cut
