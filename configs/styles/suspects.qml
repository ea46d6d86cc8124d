<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology|Labeling|Fields" labelsEnabled="1">
 <renderer-v2 attr="tier" type="categorizedSymbol" symbollevels="0" enableorderby="0" forceraster="0">
  <categories>
   <category render="true" symbol="0" value="高" label="高：限期现场复核"/>
   <category render="true" symbol="1" value="中" label="中：现场复核"/>
   <category render="true" symbol="2" value="低" label="低：预提醒"/>
  </categories>
  <symbols>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="0" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="{high},60"/>
     <prop k="outline_color" v="{high},255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="1" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="{medium},60"/>
     <prop k="outline_color" v="{medium},255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="2" type="fill">
    <layer class="SimpleFill" enabled="1" locked="0" pass="0">
     <prop k="color" v="{low},60"/>
     <prop k="outline_color" v="{low},255"/>
     <prop k="outline_width" v="0.5"/>
     <prop k="style" v="solid"/>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="&quot;rank&quot; || ' ' || &quot;verdict_zh&quot;" isExpression="1" fontFamily="Noto Sans CJK SC" fontSize="9" fontSizeUnit="Point" textColor="20,20,20,255" textOpacity="1" namedStyle="Regular">
    <text-buffer bufferDraw="1" bufferSize="1" bufferSizeUnits="MM" bufferColor="255,255,255,255" bufferOpacity="1"/>
   </text-style>
   <placement placement="8" dist="1" distUnits="MM" priority="5"/>
   <rendering drawLabels="1" obstacle="1" scaleVisibility="0"/>
  </settings>
 </labeling>
 <layerGeometryType>2</layerGeometryType>
</qgis>
