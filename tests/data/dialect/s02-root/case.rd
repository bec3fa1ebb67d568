<Resource schema="dust"><execute title="A" at="7:30"><job/></execute></Resource>
