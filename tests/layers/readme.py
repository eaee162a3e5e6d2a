"""Compares the README's excerpts with the files that they were taken from, which tests run.

An excerpt is a fenced block behind a comment that names the file, and the first and the last of the
lines that it shows:

    <!-- excerpt: path/of/the/file.py from "first line" to "last line" -->

`readme.py ROOT` prints what differs and ends with status 1 then; `readme.py ROOT --update` writes
the excerpts anew.
"""

import pathlib
import re
import sys
import textwrap

EXCERPT = re.compile(
    r'<!-- excerpt: (?P<path>\S+) from "(?P<first>[^\n]*?)" to "(?P<last>[^\n]*?)" -->\n\n?'
    r"(?P<fence>```\w*\n)(?P<text>.*?)```\n",
    re.DOTALL)
MARK = "<!-- excerpt:"


class NoSuchLines(Exception):
    pass


def lines_of(content, first, last):
    """The lines from the one that is `first` to the next that is `last`, without their indent."""
    lines = content.splitlines()
    stripped = [line.strip() for line in lines]
    if first not in stripped:
        raise NoSuchLines(f'has no line "{first}"')
    start = stripped.index(first)
    if last not in stripped[start:]:
        raise NoSuchLines(f'has no line "{last}" behind "{first}"')
    end = stripped.index(last, start)
    return textwrap.dedent("\n".join(lines[start:end + 1])) + "\n"


def wanted(root, match):
    file = root / match["path"]
    if not file.is_file():
        raise NoSuchLines("does not exist")
    return lines_of(file.read_text(encoding="utf-8"), match["first"], match["last"])


def differences(root, readme):
    """What is wrong with the excerpts in the text `readme`, as lines to be read."""
    matches = list(EXCERPT.finditer(readme))
    if len(matches) != readme.count(MARK):
        yield "an excerpt's comment is not followed by its block"
    for match in matches:
        try:
            if wanted(root, match) != match["text"]:
                yield f"{match['path']}: the excerpt is not what the file says"
        except NoSuchLines as problem:
            yield f"{match['path']}: {problem}"


def updated(root, readme):
    def replaced(match):
        head = match.group(0)[:match.start("text") - match.start()]
        return head + wanted(root, match) + "```\n"
    return EXCERPT.sub(replaced, readme)


def main():
    root = pathlib.Path(sys.argv[1])
    readme = root / "README.md"
    if "--update" in sys.argv:
        readme.write_text(updated(root, readme.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    found = list(differences(root, readme.read_text(encoding="utf-8")))
    for difference in found:
        print(difference)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
