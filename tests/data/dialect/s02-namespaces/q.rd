<?xml version="1.0" encoding="utf-8"?>
<?xml-model href="dachs.rnc" type="application/relax-ng-compact-syntax"?>
<resource xmlns="http://docs.g-vo.org/schema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" schema="dust" resdir=".">
<execute title="A" at="7:30" xmlns:h="http://www.w3.org/1999/xhtml" xml:lang="en"><job xsi:type="x"><code>pass</code></job></execute>
</resource>
