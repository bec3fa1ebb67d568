<resource schema="dust" resdir=".">
<d:execute title="A" at="7:30"><job/></d:execute>
<execute at="7:30"><d:title>B</d:title><d:job><d:setup><par key="a">1</par></d:setup></d:job></execute>
</resource>
