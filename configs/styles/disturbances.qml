<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology|Fields">
 <renderer-v2 attr="verdict" type="categorizedSymbol" symbollevels="0" enableorderby="0" forceraster="0">
  <categories>
   <category render="true" symbol="0" value="unapproved_spoil" label="疑似未批先弃"/>
   <category render="true" symbol="1" value="unapproved" label="疑似未批先建"/>
   <category render="true" symbol="2" value="relocated" label="疑似建设地点变更"/>
   <category render="true" symbol="3" value="exceeds" label="疑似超出防治责任范围"/>
   <category render="true" symbol="4" value="before_approval" label="疑似先建后批"/>
   <category render="true" symbol="5" value="pending" label="待核"/>
   <category render="true" symbol="6" value="compliant" label="合规"/>
  </categories>
  <symbols>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="0" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="128,0,128,60"/>
     <prop k="outline_color" v="128,0,128,255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="1" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="215,25,28,60"/>
     <prop k="outline_color" v="215,25,28,255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="2" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="230,97,1,60"/>
     <prop k="outline_color" v="230,97,1,255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="3" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="253,174,97,60"/>
     <prop k="outline_color" v="253,174,97,255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="4" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="253,231,37,60"/>
     <prop k="outline_color" v="253,231,37,255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="5" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="120,120,120,60"/>
     <prop k="outline_color" v="120,120,120,255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="6" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="26,150,65,60"/>
     <prop k="outline_color" v="26,150,65,255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <layerGeometryType>2</layerGeometryType>
</qgis>
