"""Pages about job code, macros, references, procedures and active tags."""

from collections.abc import Mapping

PAGES: Mapping[str, str] = {
    "E401": r"""
Code is compiled while the RD is read, so that a slip does not wait for the night. All lines begin with the white
space that the first one has; comments and strings may stand further left.

Wrong:
print('fetching'

Mend:
print('fetching')
""",
    "E402": r"""
A yield makes the job a generator: calling it makes an object and runs nothing. In a function within the job it is
fine.

Wrong:
for number in range(3):
  yield number

Mend:
def numbers():
  for number in range(3):
    yield number
print(list(numbers()))
""",
    "E501": r"""
A backslash with a name of two letters or more is a macro, also in strings. Where the backslash is meant for Python,
double it.

Wrong:
print("\nfetched")

Mend:
print("\\nfetched")
""",
    "E502": r"""
A macro takes a certain number of arguments, each in braces, and some can fail: for instance on metadata that is not
there.

Wrong:
print("\upper")

Mend:
print("\upper{m31}")
""",
    "E503": r"""
What is referred to must be there: in this RD above the reference, in another one by its id, as rd_id#id.

Wrong:
<execute title="Fetch" at="1:00"><job procDef="fetch"/></execute>

Mend:
<procDef id="fetch"><code>print("fetching")</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="fetch"/></execute>
""",
    "E504": r"""
What copies itself, or replays itself, would never end.

Wrong:
<procDef id="a" original="a"><code>pass</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="a"/></execute>

Mend:
<procDef id="a"><code>pass</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="a"/></execute>
""",
    "E505": r"""
The element is there, but it is none of the kind that can stand here.

Wrong:
<macDef name="limit" id="fetch">3</macDef>
<execute title="Fetch" at="1:00"><job procDef="fetch"/></execute>

Mend:
<procDef id="fetch"><code>pass</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="fetch"/></execute>
""",
    "E506": r"""
A reference is the id of an element in this RD, or rd_id#id for one elsewhere in the resource directory.

Wrong:
<execute title="Fetch" at="1:00"><job procDef="a#b#c"/></execute>

Mend:
<procDef id="c"><code>pass</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="c"/></execute>
""",
    "E511": r"""
A par without content has no default: each job that uses the procedure has to bind it.

Wrong:
<procDef id="p"><setup><par key="limit"/></setup><code>print(limit)</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="p"/></execute>

Mend:
<procDef id="p"><setup><par key="limit"/></setup><code>print(limit)</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="p"><bind key="limit">3</bind></job></execute>
""",
    "E512": r"""
A binding gives a parameter its value; the procedure has none of this name.

Wrong:
<procDef id="p"><setup><par key="limit">1</par></setup><code>print(limit)</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="p"><bind key="limits">3</bind></job></execute>

Mend:
<procDef id="p"><setup><par key="limit">1</par></setup><code>print(limit)</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="p"><bind key="limit">3</bind></job></execute>
""",
    "E513": r"""
An alias is an older name of a parameter. Two values for one parameter, and nobody can say which is meant.

Wrong:
<procDef id="p"><setup><par key="limit" alias="max">1</par></setup><code>print(limit)</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="p">
  <bind key="limit">3</bind><bind key="max">4</bind>
</job></execute>

Mend:
<procDef id="p"><setup><par key="limit" alias="max">1</par></setup><code>print(limit)</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="p"><bind key="limit">3</bind></job></execute>
""",
    "E521": r"""
A FEED or LOOP replays either a stream that is named in source, or the events in it.

Wrong:
<LOOP listItems="a b"/>
<execute title="Fetch" at="1:00"><FEED/><job><code>pass</code></job></execute>

Mend:
<LOOP listItems="a b"><events>
  <execute title="Fetch \item" at="1:00"><job><code>pass</code></job></execute>
</events></LOOP>
""",
    "E522": r"""
Each row of csvItems has as many values as its first line has names, and names have two letters or more.

Wrong:
<LOOP><csvItems>
  band, time
  blue
</csvItems><events>
  <execute title="Fetch \band" at="\time"><job><code>pass</code></job></execute>
</events></LOOP>

Mend:
<LOOP><csvItems>
  band, time
  blue, 1:00
</csvItems><events>
  <execute title="Fetch \band" at="\time"><job><code>pass</code></job></execute>
</events></LOOP>
""",
    "E523": r"""
Reading an RD runs no code, so that a broken or hostile file harms nothing. Where all who write RDs are trusted, the
settings can allow it; lists that can be written down are better written down.

Wrong:
<LOOP><codeItems>
  for band in "ab": yield {"band": band}
</codeItems><events>
  <execute title="Fetch \band" at="1:00"><job><code>pass</code></job></execute>
</events></LOOP>

Mend:
<LOOP listItems="a b"><events>
  <execute title="Fetch \item" at="1:00"><job><code>pass</code></job></execute>
</events></LOOP>
""",
    "E524": r"""
The code of codeItems is the body of a generator of dictionaries from names to texts. What it raises is a fault of
the RD, as there are no executes without its items.

Wrong:
$ grep -A1 codeItems q.rd
<codeItems>
  for night in nights: yield night

Mend:
$ grep -A1 codeItems q.rd
<codeItems>
  for night in ["1", "2"]: yield {"night": night}
""",
    "E525": r"""
Streams that feed streams multiply: a few lines can make more elements than there is memory. Let code loop instead.

Wrong:
$ grep -c FEED q.rd
400

Mend:
$ grep -c FEED q.rd
4
""",
    "W501": r"""
A macro in a comment is not worth a failure. But DaCHS expands comments as well, and refuses the RD.

Wrong:
# see C:\data\weather
print(1)

Mend:
# see C:/data/weather
print(1)
""",
    "W502": r"""
Where macros are expanded, \+ is nothing: it ends a macro's name. In a regular expression it is the plus sign that
gets lost.

Wrong:
print(re.match("\d\+\d", "1+1"))

Mend:
print(re.match("\d[+]\d", "1+1"))
""",
    "W503": r"""
A stream that cannot be had may come with software that is not here. As nothing shows that it makes executes, the RD
is good without it.

Wrong:
<FEED source="//scs#coreDescs"/>
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
""",
    "W504": r"""
Whoever wrote the procedure says that something else should be used. It still works.

Wrong:
<procDef id="old" deprecated="use new"><code>pass</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="old"/></execute>

Mend:
<procDef id="new"><code>pass</code></procDef>
<execute title="Fetch" at="1:00"><job procDef="new"/></execute>
""",
    "W505": r"""
As macros are expanded, a backslash at the end of a line is, with the line feed, a blank; in comments, too. So the next
line becomes part of the comment and is not run, which nothing shows.

Wrong:
<execute title="Copy" at="1:00"><job><code>
# all of it \
print("copying")
</code></job></execute>

Mend:
<execute title="Copy" at="1:00"><job><code>
# all of it
print("copying")
</code></job></execute>
""",
}
"""By code: why, what is wrong, its mend."""
