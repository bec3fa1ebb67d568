"""Pages about files, their XML, elements, attributes and values."""

from collections.abc import Mapping

PAGES: Mapping[str, str] = {
    "E101": r"""
The daemon's user must be able to read an RD, and it must be a plain file. Until it can be read, its jobs are as
they were.

Wrong:
$ chmod 600 q.rd  # by root, while the daemon runs as gavo

Mend:
$ chmod 644 q.rd
""",
    "E102": r"""
An RD is XML, and XML that is not well-formed has no meaning, not even in parts. In job code it is mostly a bare <
or &.

Wrong:
<execute title="Compare" at="1:00"><job><code>
  if 1 < 2 & 3: print("yes")
</code></job></execute>

Mend:
<execute title="Compare" at="1:00"><job><code><![CDATA[
  if 1 < 2 & 3: print("yes")
]]></code></job></execute>
""",
    "E103": r"""
No RD that somebody has written is nearly as large, and a limit keeps a stray file from holding everything up. Keep
data beside the RD, and let the job read it.

Wrong:
$ cp catalogue.xml inputs/stars/q.rd

Mend:
$ cp catalogue.xml inputs/stars/data/
""",
    "E104": r"""
Without a declaration, XML is UTF-8. A file that is in something else must say so in its first line, by a name that
Python knows.

Wrong:
<?xml version="1.0" encoding="utf-9"?>
<resource schema="x" resdir="."/>

Mend:
<?xml version="1.0" encoding="utf-8"?>
<resource schema="x" resdir="."/>
""",
    "E105": r"""
Whoever may write an RD could otherwise have any file of the machine read, or have the network asked. Such files are
never read, here or in DaCHS; there they silently expand to nothing.

Wrong:
<!DOCTYPE resource [<!ENTITY pw SYSTEM "/etc/passwd">]>
<resource schema="x" resdir="."/>

Mend:
<!DOCTYPE resource [<!ENTITY site "Heidelberg">]>
<resource schema="x" resdir="."/>
""",
    "E106": r"""
Entities that name entities can make gigabytes of a few lines, or refer to themselves for ever. Entities are fine as
long as they expand within bounds.

Wrong:
<!DOCTYPE resource [<!ENTITY a "&b;"><!ENTITY b "&a;">]>
<resource schema="&a;" resdir="."/>

Mend:
<!DOCTYPE resource [<!ENTITY a "x">]>
<resource schema="&a;" resdir="."/>
""",
    "E107": r"""
RDs are some ten levels deep. Hundreds are a mistake of the program that wrote the file.

Wrong:
$ python3 -c "print('<a>' * 1000 + '</a>' * 1000)" > q.rd

Mend:
$ gavo-exec check q.rd  # after its program was mended
""",
    "E108": r"""
The root of an RD is a resource; other XML has no business under the name .rd.

Wrong:
<service schema="x"/>

Mend:
<resource schema="x" resdir="."/>
""",
    "E109": r"""
The keys of executes are made of the file's path, # and the id. A file name with # in it would make keys that can be
read in two ways.

Wrong:
$ mv q.rd 'q#2.rd'

Mend:
$ mv 'q#2.rd' q2.rd
""",
    "E110": r"""
An RD is code: whoever may write it, or put another in its place, can do what the daemon's user can. Nobody may but
root, that user and the owner of the file; that goes for the folders above it, too, and for files that RDs draw on.
Symbolic links may not lead out of the resource directory. With trust = warn this is a warning (W101).

Wrong:
$ chmod 666 q.rd

Mend:
$ chmod 644 q.rd
""",
    "W101": r"""
An RD is code: whoever may write it, or put another in its place, can do what the daemon's user can. Nobody may but
root, that user and the owner of the file; that goes for the folders above it, too, and for files that RDs draw on.
Symbolic links may not lead out of the resource directory. With trust = strict, the default for root, the RD is
refused (E110).

Wrong:
$ chmod 666 q.rd

Mend:
$ chmod 644 q.rd
""",
    "E201": r"""
Within resource, all that does not concern jobs is passed over. Within an execute everything is known, so that a
strange element is a slip, and what it was to say would be lost.

Wrong:
<execute title="Fetch" at="1:00"><jobs><code>pass</code></jobs><job><kode>pass</kode></job></execute>

Mend:
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
""",
    "E202": r"""
An attribute that is not known would be lost, and mostly is a known one misspelt. DaCHS refuses it, too.

Wrong:
<execute titel="Fetch" title="x" at="1:00"><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
""",
    "E203": r"""
An execute needs a title, by which people know it in mails, and a job.

Wrong:
<execute at="1:00"><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch the weather" at="1:00"><job><code>pass</code></job></execute>
""",
    "E204": r"""
Only some elements have text. Code, for instance, stands in code, not directly in the job.

Wrong:
<execute title="Fetch" at="1:00"><job>print(1)</job></execute>

Mend:
<execute title="Fetch" at="1:00"><job><code>print(1)</code></job></execute>
""",
    "E205": r"""
Titles, times and the like are plain text: neither attributes nor elements can be in them.

Wrong:
<execute title="Fetch"><at zone="CET">1:00</at><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch"><at>0:00</at><job><code>pass</code></job></execute>
""",
    "E206": r"""
History, intervals and mails hang on the key, which is made of the id. Two executes with one id would be one job
with two meanings.

Wrong:
<execute id="a" title="One" at="1:00"><job><code>pass</code></job></execute>
<execute id="a" title="Two" at="2:00"><job><code>pass</code></job></execute>

Mend:
<execute id="a" title="One" at="1:00"><job><code>pass</code></job></execute>
<execute id="b" title="Two" at="2:00"><job><code>pass</code></job></execute>
""",
    "E207": r"""
A job runs at certain times, or after certain intervals, not both and not neither. Two executes can share code.

Wrong:
<execute title="Fetch" at="1:00" every="3600"><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch" every="3600"><job><code>pass</code></job></execute>
""",
    "E208": r"""
What original copies replaces what is there, so that it must come first: as an attribute it always does.

Wrong:
<procDef id="p"><code>pass</code></procDef>
<execute title="Fetch" at="1:00">
  <job><code>print(1)</code><original>p</original></job>
</execute>

Mend:
<procDef id="p"><code>pass</code></procDef>
<execute title="Fetch" at="1:00">
  <job original="p"><code>print(1)</code></job>
</execute>
""",
    "E209": r"""
Properties with names that begin with when., run. or mail. are settings of executes, and of these there is a list: see
the reference of properties. A misspelt one would leave a job without its time limit, say. Job code can use properties
of all other names.

Wrong:
<execute title="Fetch" at="1:00">
  <property name="run.timout">10m</property>
  <job><code>pass</code></job>
</execute>

Mend:
<execute title="Fetch" at="1:00">
  <property name="run.timeout">10m</property>
  <property name="site">north</property>
  <job><code>pass</code></job>
</execute>
""",
    "W201": r"""
As in DaCHS the last one counts, and a child counts more than an attribute. The other is dead text that somebody
will edit in vain.

Wrong:
<execute title="Fetch" every="60"><every>3600</every><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch" every="3600"><job><code>pass</code></job></execute>
""",
    "W202": r"""
Without ids, keys are made of titles; like ones get -2, -3 in document order, so that moving one changes which
history is whose. In DaCHS only the last of them would run.

Wrong:
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
<execute title="Fetch" at="2:00"><job><code>print(2)</code></job></execute>

Mend:
<execute id="early" title="Fetch" at="1:00"><job><code>pass</code></job></execute>
<execute id="late" title="Fetch" at="2:00"><job><code>print(2)</code></job></execute>
""",
    "W203": r"""
DaCHS wants a schema, and the resdir comes of it. Without one, the resdir is the folder of the RD.

Wrong:
<resource>
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
</resource>

Mend:
<resource schema="weather" resdir=".">
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
</resource>
""",
    "W204": r"""
Only executes directly in the resource are run.

Wrong:
<data>
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
</data>

Mend:
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
""",
    "W205": r"""
Elements that do not concern jobs are passed over, so that a misspelt execute would simply never run.

Wrong:
<excute title="Fetch" at="1:00"><job><code>pass</code></job></excute>

Mend:
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
""",
    "W206": r"""
Children run in the resdir, and rd.getAbsPath counts from it. It is the folder named after the schema, unless the RD
has a resdir of its own.

Wrong:
<resource schema="nowhere">
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
</resource>

Mend:
<resource schema="nowhere" resdir=".">
<execute title="Fetch" at="1:00"><job><code>pass</code></job></execute>
</resource>
""",
    "W207": r"""
Properties with names that begin with when., run. or mail. are kept for what executes can be set to, beside what DaCHS
knows; DaCHS takes them for properties like any other. Some names are kept for later versions; a property that has one
does nothing yet, which would go unnoticed.

Wrong:
<execute title="Fetch" at="1:00">
  <property name="run.where">north</property>
  <job><code>pass</code></job>
</execute>

Mend:
<execute title="Fetch" at="1:00">
  <job><code>pass</code></job>
</execute>
""",
    "W208": r"""
Some settings say more about others, or about times of the calendar. Without these they do nothing, so that something
that was meant to happen will not. A setting of the resource is told of where it does nothing for any of the executes.

Wrong:
<execute title="Fetch" at="1:00">
  <property name="run.retryDelay">10m</property>
  <job><code>pass</code></job>
</execute>

Mend:
<execute title="Fetch" at="1:00">
  <property name="run.retries">3</property>
  <property name="run.retryDelay">10m</property>
  <job><code>pass</code></job>
</execute>
""",
    "W209": r"""
More than a year passes between two instants that when.only and when.not leave of the execute's times. That can be
meant; mostly day and month were mixed up, or two conditions were meant as alternatives.

Wrong:
<execute title="Fetch" at="19:00">
  <property name="when.only">* * 29 2 *</property>
  <job><code>pass</code></job>
</execute>

Mend:
<execute title="Fetch" at="19:00">
  <property name="when.only">* * L 2 *</property>
  <job><code>pass</code></job>
</execute>
""",
    "E301": r"""
A time is h:m in UTC, before it w1 to w7 (Monday is 1) or m1 to m28, if need be. DaCHS silently ignores what follows
the minutes, and so runs at another time than was meant.

Wrong:
<execute title="Fetch" at="7:30pm"><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch" at="19:30, w1 8:00"><job><code>pass</code></job></execute>
""",
    "E302": r"""
An interval is a whole number of seconds. A negative one runs at once when the job is new.

Wrong:
<execute title="Fetch" every="1h"><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch" every="3600"><job><code>pass</code></job></execute>
""",
    "E303": r"""
A value is of another kind than is wanted here, so that nobody can say what is meant.

Wrong:
<execute title="Fetch" at="1:00" debug="maybe"><job><code>pass</code></job></execute>

Mend:
<execute title="Fetch" at="1:00" debug="True"><job><code>pass</code></job></execute>
""",
    "E304": r"""
A property that is a setting must have a value that it can have: a duration such as 90s, 10m or 1h 30m, one of a few
words, a number within bounds. The reference of properties has them all.

Wrong:
<execute title="Fetch" at="1:00">
  <property name="run.timeout">a quarter of an hour</property>
  <job><code>pass</code></job>
</execute>

Mend:
<execute title="Fetch" at="1:00">
  <property name="run.timeout">15m</property>
  <job><code>pass</code></job>
</execute>
""",
    "E305": r"""
when.only and when.not leave no instant of the execute's times, so that it would never run. They may stand in the
execute, in its resource, or among the defaults in the settings file; and they go by the clocks of when.zone, which is
UTC where nothing is said.

Wrong:
<execute title="Fetch" at="19:00">
  <property name="when.only">* 9-17 * * 1-5</property>
  <job><code>pass</code></job>
</execute>

Mend:
<execute title="Fetch" at="9:00, 17:00">
  <property name="when.only">* 9-17 * * 1-5</property>
  <job><code>pass</code></job>
</execute>
""",
}
"""By code: why, what is wrong, its mend."""
