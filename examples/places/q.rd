<resource schema="places" resdir=".">
  <meta name="title">The places that the time zone database names</meta>
  <meta name="description">Real data that is on every machine: the principal place of each time zone, with its
    position, from the table that Python's package tzdata ships.</meta>

  <table id="places" onDisk="True">
    <column name="zone" type="text" ucd="meta.id;meta.main" description="Name of the time zone"/>
    <column name="lat" unit="deg" ucd="pos.earth.lat" description="Latitude, north is positive"/>
    <column name="lon" unit="deg" ucd="pos.earth.lon" description="Longitude, east is positive"/>
  </table>

  <!-- In the daemon's own process: no new interpreter, and rd and execDef are at hand. -->
  <execute id="coverage" every="-3600">
    <title>Plot the coverage</title>
    <job>
      <code>
        mod, _ = utils.loadPythonModule(rd.getAbsPath("bin/coverageplot"))
        places = mod.readPlaces()
        mod.makePlot(places, rd.getAbsPath("out/coverage.svg"))
        print(f"{len(places)} places plotted")
      </code>
    </job>
  </execute>

  <execute id="report" at="w1 6:30, m1 6:30">
    <title>Count the places</title>
    <job>
      <code>
        mod, _ = utils.loadPythonModule(rd.getAbsPath("bin/coverageplot"))
        southern = sum(lat &lt; 0 for _, lat, _ in mod.readPlaces())
        base.ui.notifyInfo(f"{southern} places are south of the equator")
      </code>
    </job>
  </execute>

  <service id="map" allowed="static">
    <property name="staticData">out</property>
    <nullCore/>
  </service>
</resource>
