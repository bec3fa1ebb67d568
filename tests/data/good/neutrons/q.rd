<?xml version="1.0" encoding="utf-8"?>
<resource schema="neutrons" resdir="neutrons">
  <meta name="creationDate">2021-06-14T09:20:00Z</meta>
  <meta name="title">High-Altitude Neutron Monitor</meta>
  <meta name="description" format="rst">
    One-minute counts of secondary cosmic-ray neutrons, corrected for
    pressure.  See `the station's page`_ for a description.

    .. _the station's page: http://example.org/nm
  </meta>
  <meta name="subject">cosmic-rays</meta>
  <meta name="subject">solar-activity</meta>
  <meta name="creator">Ospanova, D.; Weber, K.</meta>
  <meta name="instrument">Neutron monitor 18NM64</meta>
  <meta name="facility">Tien Shan mountain station</meta>
  <meta name="contentLevel">Research</meta>
  <meta name="coverage">
    <meta name="waveband">Gamma-ray</meta>
  </meta>

  <STREAM id="countcolumns">
    <column name="\prefix_low" type="integer" required="True"
      ucd="phot.count" tablehead="N(\label)" description="Counts, \label"/>
    <column name="\prefix_high" type="integer"/>
  </STREAM>

  <table id="main" onDisk="True" mixin="//products#table" adql="True">
    <mixin calibLevel="1" collectionName="'Neutrons'">//obscore#publish</mixin>
    <index columns="obs_time"/>
    <column name="obs_time" type="double precision" required="True"
      unit="d" ucd="time.epoch" tablehead="Time"
      description="Midpoint of the interval" verbLevel="1" xtype="mjd"/>
    <column name="pressure" unit="mbar" ucd="phys.pressure"
      tablehead="p" description="Air pressure at the station"/>
    <FEED source="countcolumns" prefix="raw" label="raw"/>
    <LOOP listItems="s1 s2 s3">
      <events>
        <column name="\item" type="integer" required="True"
          ucd="phot.count" description="Counts in section \item"/>
      </events>
    </LOOP>
  </table>

  <data id="import">
    <sources pattern="data/*.txt" recurse="True">
      <ignoreSources pattern="data/*.part"/>
    </sources>
    <columnGrammar colDefs="obs_time: 1-16, pressure: 18-24">
      <ignoredLines>^#</ignoredLines>
      <rowfilter procDef="//products#define">
        <bind name="table">"\schema.main"</bind>
      </rowfilter>
      <rowfilter name="skip_fresh_files">
        <code><![CDATA[
          # the instrument writes into these
          if time.time()-os.path.getmtime(row["prodtblPath"])<3600:
            raise IgnoreThisRow(row)
          yield row
        ]]></code>
      </rowfilter>
    </columnGrammar>
    <make table="main">
      <rowmaker idmaps="*">
        <map dest="obs_time">dateTimeToMJD(parseTimestamp(@obs_time))</map>
        <apply procDef="//procs#simpleSelect" name="station">
          <bind name="assignments">{"station": "name"}</bind>
        </apply>
      </rowmaker>
    </make>
  </data>

  <!-- Runs on the hour, for that is when the instrument closes its files. -->
  <execute title="Ingest new files" every="3600">
    <job>
      <code>
        # execDef.spawn("dachs imp \rdId")
        execDef.spawn(["dachs", "imp", "neutrons/q"])
      </code>
    </job>
  </execute>

  <service id="web" allowed="form,static" defaultRenderer="form">
    <meta name="shortName">Neutrons web</meta>
    <meta name="title">Neutron counts</meta>
    <dbCore queriedTable="main">
      <condDesc buildFrom="obs_time"/>
      <condDesc>
        <inputKey name="level" type="text" required="False">
          <values><option>raw</option><option>corrected</option></values>
        </inputKey>
        <phraseMaker>
          <code>
            if inPars["level"]=="raw":
              yield "pressure IS NULL"
          </code>
        </phraseMaker>
      </condDesc>
    </dbCore>
    <outputTable autoCols="obs_time,pressure">
      <outputField original="raw_low" displayHint="type=bar"/>
    </outputTable>
    <publish render="form" sets="ivo_managed,local"/>
  </service>

  <regSuite title="Neutron regression">
    <regTest title="Form shows the counts">
      <url obs_time="59000 .. 59001">web/form</url>
      <code>
        self.assertHasStrings("pressure", "N(raw)")
      </code>
    </regTest>
  </regSuite>
</resource>
