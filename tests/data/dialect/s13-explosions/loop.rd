<resource schema="plates" resdir=".">
  <execute title="T" every="60"><job>
    <LOOP listItems="a b c d e f g h i j"><events passivate="True">
      <LOOP listItems="a b c d e f g h i j"><events passivate="True">
        <LOOP listItems="a b c d e f g h i j"><events passivate="True">
          <LOOP listItems="a b c d e f g h i j"><events passivate="True">
            <LOOP listItems="a b c d e f g h i j"><events><bind key="x">1</bind></events></LOOP>
          </events></LOOP>
        </events></LOOP>
      </events></LOOP>
    </events></LOOP>
  </job></execute>
</resource>
