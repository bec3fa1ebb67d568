<?xml version="1.0" encoding="utf-8"?>
<!-- A resource descriptor as data centres write them: metadata, a table, its import, a service; and, in a few lines
     each, four jobs.  gavo-exec reads the executes and passes over the rest. -->
<resource schema="lightcurve" resdir="lightcurve">
  <meta name="title">A pulsating star, made up on the spot</meta>
  <meta name="creationDate">2026-11-23T12:00:00Z</meta>
  <meta name="description" format="plain">
    Photometry of a star that nobody has observed: a new night of it is simulated twice a minute, ingested into a
    database, and plotted.  What real instruments do to real resources, in small.
  </meta>
  <meta name="creator.name">The gavo-exec developers</meta>
  <meta name="subject">variable-stars</meta>
  <meta name="coverage.waveband">Optical</meta>

  <macDef name="database">out/photometry.sqlite</macDef>

  <STREAM id="photcols">
    <doc>What every photometric table here has.</doc>
    <column name="obs_time" type="double precision" unit="d" ucd="time.epoch"
      tablehead="JD" description="Julian date of the middle of the exposure" verbLevel="1"/>
    <column name="mag" unit="mag" ucd="phot.mag;em.opt.V"
      tablehead="V" description="Apparent magnitude in Johnson V" verbLevel="1"/>
    <column name="mag_err" unit="mag" ucd="stat.error;phot.mag;em.opt.V"
      tablehead="Err. V" description="Standard error of the magnitude" verbLevel="15"/>
  </STREAM>

  <table id="photometry" onDisk="True" adql="True">
    <meta name="description">Magnitudes of our star, night by night.</meta>
    <FEED source="photcols"/>
    <column name="night" type="text" ucd="meta.id"
      tablehead="Night" description="The file this was ingested from" verbLevel="20"/>
    <index columns="obs_time"/>
  </table>

  <data id="import" updating="True">
    <sources pattern="data/*.csv" recurse="False">
      <ignoreSources fromdb="select distinct night from \schema.photometry"/>
    </sources>
    <csvGrammar names="obs_time mag mag_err">
      <rowfilter name="dropFaint">
        <code>
          if float(row["mag"])&lt;25:
            yield row
        </code>
      </rowfilter>
    </csvGrammar>
    <make table="photometry">
      <rowmaker idmaps="*">
        <map dest="night">\inputRelativePath</map>
      </rowmaker>
    </make>
  </data>

  <!-- A Python program of the resource's own; the first time at once, then twice a minute. -->
  <execute id="observe" title="Take a night's data" every="-30">
    <job><code>execDef.spawnPython("bin/observe.py")</code></job>
  </execute>

  <!-- Any program. -->
  <execute id="ingest" title="Ingest new files" every="20">
    <job>
      <code>
        # A list as for subprocess; a string would be split as a shell does.  It runs in the resdir.
        execDef.spawn(["python3", "bin/ingest.py", "data", "\database"])
      </code>
    </job>
  </execute>

  <!-- A module of the resource's own, in the daemon's process. -->
  <execute id="plot" title="Plot the light curve" every="30" debug="False">
    <property name="target">out/lightcurve.svg</property>
    <job>
      <code>
        mod, _ = utils.loadPythonModule(rd.getAbsPath("bin/lightcurveplot"))
        target = execDef.getProperty("target")
        count = mod.makePlot(rd.getAbsPath("\database"), rd.getAbsPath(target))
        print(f"{count} points of \rdId plotted to {target}" if count else "nothing is ingested yet")
      </code>
    </job>
  </execute>

  <!-- Every night at 0:20 UTC.  Without an id, the key is made from the title: lightcurve/q#compact-the-database. -->
  <execute title="Compact the database" at="0:20">
    <job>
      <code>
        import contextlib, sqlite3
        database = rd.getAbsPath("\database")
        if not os.path.exists(database):
          print("there is no database yet")
          return
        before = os.path.getsize(database)
        with contextlib.closing(sqlite3.connect(database)) as connection:
          connection.execute("VACUUM")
        print(f"{before - os.path.getsize(database)} of {before} bytes were to spare")
      </code>
    </job>
  </execute>

  <service id="cone" allowed="form,static">
    <meta name="shortName">made-up lc</meta>
    <meta name="title">Light curve of a made-up star</meta>
    <property name="staticData">out</property>
    <dbCore queriedTable="photometry">
      <condDesc buildFrom="obs_time"/>
      <condDesc buildFrom="mag"/>
    </dbCore>
    <publish render="form" sets="local"/>
  </service>

  <regSuite title="light curve regression">
    <regTest title="There is a form">
      <url>cone/form</url>
      <code>
        self.assertHasStrings("Julian date")
      </code>
    </regTest>
  </regSuite>
</resource>
