<html>
<execute title="T" at="1:00"><job/></execute>
</html>
