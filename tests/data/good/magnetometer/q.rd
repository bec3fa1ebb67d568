<resource schema="magnetometer" resdir="." xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:noNamespaceSchemaLocation="gavo-exec.rng">
  <meta>
    title: Three-component magnetometer
    creationDate: 2022-03-01T12:00:00Z
    # filled in by the observers
    subject: geomagnetic-fields
    subject: space-weather
    description: Variations of the field, \
      one value a second.
    contact.email: observers@example.org
    !subject: earth-magnetosphere
  </meta>
  <meta name="creator">
    <meta name="name">Iskakova, A.</meta>
    <meta name="email">a.i@example.org</meta>
  </meta>

  <table id="variations" onDisk="True" primary="t" adql="True">
    <stc>Time UTC "t"</stc>
    <column name="t" type="timestamp" ucd="time.epoch" required="True"
      description="When this was recorded"/>
    <LOOP>
      <csvItems>
        axis,  what
        bx,    northward
        by,    eastward
        bz,    downward
      </csvItems>
      <events>
        <column name="\axis" unit="nT" ucd="phys.magField"
          description="The \what component"/>
      </events>
    </LOOP>
    <column name="quality" type="char" ucd="meta.code.qual">
      <values default="?">
        <option title="good">g</option>
        <option title="disturbed by trains &amp; trams">d</option>
      </values>
    </column>
    <publishAs newIn="3.1">nothing we know of</publishAs>
  </table>

  <data id="import" updating="True">
    <sources>
      <pattern>raw/*/*.cdf</pattern>
      <ignoreSources fromdb="select accref from magnetometer.variations"/>
    </sources>
    <customGrammar module="res/cdfgrammar"/>
    <make table="variations">
      <rowmaker>
        <simplemaps>bx: BX, by: BY, bz: BZ</simplemaps>
        <var name="second">int(@TIME)</var>
        <apply name="flag">
          <code>
            if abs(@BZ)>60000:
                result["quality"] = "d"
          </code>
        </apply>
      </rowmaker>
    </make>
  </data>

  <execute title="Ingest new files" at="1:00"><job><code>
    execDef.spawn("dachs imp \rdId")
  </code></job></execute>

  <execute>
    <title>Refresh the plots</title>
    <at>w1 2:30</at>
    <at>m1 2:30, m15 2:30</at>
    <debug>Yes</debug>
    <property name="axes">bx by</property>
    <property key="axes" cumulate="1"> bz</property>
    <property name="target">\schema/\rdIdDotted</property>
    <property name="nothing">__NULL__</property>
    <job>
      <code>for axis in execDef.getProperty("axes").split():
              mod, _ = utils.loadPythonModule(rd.getAbsPath("bin/plot"))
              mod.plot(axis)
      </code>
    </job>
  </execute>

  <service id="cone" allowed="scs.xml,form,api">
    <meta name="shortName">mag cone</meta>
    <meta>
      testQuery.ra: 10
      testQuery.dec: 10
    </meta>
    <scsCore queriedTable="variations">
      <FEED source="//scs#coreDescs"/>
      <LOOP listItems="bx by bz">
        <events><condDesc buildFrom="\item"/></events>
      </LOOP>
    </scsCore>
    <publish render="scs.xml" sets="ivo_managed"/>
    <customRF name="plot">
      <code>
        def plot(self, ctx, data):
          return T.img(src="\servicelink{plots/latest.png}")[""]
      </code>
    </customRF>
  </service>

  <service id="files" allowed="static,dlmeta,dlget">
    <property name="staticData">data</property>
    <property name="indexFile">index.html</property>
    <datalinkCore>
      <descriptorGenerator procDef="//soda#fits_genDesc"/>
      <metaMaker semantics="#preview">
        <code>
          yield descriptor.makeLink("x")
        </code>
      </metaMaker>
      <dataFunction procDef="//soda#fits_makeHDUList"/>
    </datalinkCore>
  </service>
</resource>
