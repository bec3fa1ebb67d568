<resource schema="radio">
  <meta name="title">Solar Radio Spectrometer</meta>
  <meta name="description">Dynamic spectra of the sun between 45 and 400 MHz.</meta>
  <meta name="creationDate">2023-01-05T10:11:12Z</meta>
  <meta name="subject">solar-radio-emission</meta>
  <meta name="rights">\RSTcc0{these spectra}</meta>
  <meta name="source">2019AdSpR..63..777X</meta>
  <meta name="coverage.waveband">Radio</meta>
  <macDef name="importer">dachs imp \rdId</macDef>
  <macDef name="archive">\resdir/archive/\upper{\schema}</macDef>
  <macDef name="licence">\RSTccby{these spectra}</macDef>
  <property name="observer">Station \schema</property>

  <procDef id="makeAccref" type="apply">
    <setup>
      <par key="prefix">"radio/"</par>
      <code>
        import hashlib
      </code>
    </setup>
    <code>
      result["accref"] = prefix+hashlib.md5(vars["name"].encode()).hexdigest()
    </code>
  </procDef>

  <table id="spectra" onDisk="True" adql="hidden" namePath="//ssap#instance">
    <mixin fluxUnit="Jy" spectralUnit="MHz" statSpectError="0.5">//ssap#mixc</mixin>
    <mixin>//ssap#simpleCoverage</mixin>
    <FEED source="//ssap#hcd_outpars"/>
    <column name="antenna" type="text" ucd="instr.tel"
      tablehead="Antenna" description="Which of the antennas was used"/>
    <column name="burst" type="text" ucd="meta.code.class">
      <description>Type of the strongest burst in the spectrum, in the usual
      Roman numerals; empty if there is none.</description>
      <values nullLiteral=""/>
    </column>
    <foreignKey inTable="antennas" source="antenna" dest="name"/>
  </table>

  <table id="antennas" onDisk="True">
    <meta name="description">The antennas.</meta>
    <column name="name" type="text" required="True"/>
    <column name="size" unit="m" ucd="phys.size"/>
  </table>

  <data id="import" updating="True">
    <recreateAfter>make_tap</recreateAfter>
    <sources pattern="data/*.fit.gz" recurse="True"/>
    <fitsProdGrammar hdu="1" qnd="True">
      <mapKeys><map key="ANTENNA">antenna</map></mapKeys>
      <rowfilter procDef="//products#define">
        <bind key="table">"\schema.spectra"</bind>
        <bind key="path">"\dlMetaURI{sdl}"</bind>
        <bind key="mime">"application/x-votable+xml"</bind>
      </rowfilter>
    </fitsProdGrammar>
    <make table="spectra" role="primary">
      <rowmaker idmaps="*" id="build">
        <apply procDef="makeAccref"/>
        <map key="burst" source="BURST" nullExcs="KeyError"/>
      </rowmaker>
      <script type="postCreation" lang="python" name="statistics">
        table.connection.execute("ANALYZE \schema.spectra")
      </script>
    </make>
  </data>

  <execute title="Ingest new files" every="-86400">
    <job><code>
      # taken out in March: execDef.spawn("\importer --hard")
      execDef.spawn("\importer")
    </code></job>
  </execute>

  <execute id="archive" title="Move last year's files" at="m2 3:15">
    <job>
      <code><![CDATA[
        import glob, shutil

        target = "/data/\archive"
        for path in glob.glob(rd.getAbsPath("data/*.fit.gz")):
            if os.path.getmtime(path) < time.time() - 366 * 86400:
                shutil.move(path, target)
        execDef.outputAccum.append("moved to %s\n" % target)
      ]]></code>
    </job>
  </execute>

  <execute id="report.weekly" title="Report bursts"
      at="w1 6:00,
          w4 6:00">
    <job><code>
      # the station's manager wants
      <!-- and so does
           the press office --> # a text file, too
      sql = """SELECT burst, count(*)
   FROM \schema.spectra
      GROUP BY burst"""
      with base.getTableConn() as conn:
          rows = list(conn.query(sql))
      total = sum(n for _, n in rows) \
          or 1
      for burst, n in rows: print(burst, n/total)
    </code></job>
  </execute>

  <service id="ssa" allowed="ssap.xml,form">
    <meta name="shortName">radio SSA</meta>
    <meta name="ssap.dataSource">pointed</meta>
    <ssapCore queriedTable="spectra">
      <FEED source="//ssap#hcd_condDescs"/>
    </ssapCore>
    <publish render="ssap.xml" sets="ivo_managed"/>
  </service>
</resource>
