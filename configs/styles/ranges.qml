<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="LayerConfiguration|Symbology|Labeling|Fields" readOnly="1" labelsEnabled="1">
 <renderer-v2 attr="range_kind" type="categorizedSymbol" symbollevels="0" enableorderby="0" forceraster="0">
  <categories>
   <category render="true" symbol="0" value="防治责任范围" label="防治责任范围"/>
   <category render="true" symbol="1" value="示意性范围" label="示意性范围"/>
  </categories>
  <symbols>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="0" type="fill">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <prop k="line_color" v="230,0,0,255"/>
     <prop k="line_width" v="0.5"/>
     <prop k="line_style" v="solid"/>
    </layer>
   </symbol>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="1" type="fill">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <prop k="line_color" v="230,0,0,255"/>
     <prop k="line_width" v="0.5"/>
     <prop k="line_style" v="dash"/>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="approval_name" isExpression="0" fontFamily="Noto Sans CJK SC" fontSize="8" fontSizeUnit="Point" textColor="170,0,0,255" textOpacity="1" namedStyle="Regular">
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferColor="255,255,255,255" bufferOpacity="1"/>
   </text-style>
   <placement placement="8" dist="1" distUnits="MM" priority="2"/>
   <rendering drawLabels="1" obstacle="0" scaleVisibility="1" scaleMin="50000" scaleMax="0"/>
  </settings>
 </labeling>
 <layerGeometryType>2</layerGeometryType>
</qgis>
