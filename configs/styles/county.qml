<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="LayerConfiguration|Symbology|Fields" readOnly="1">
 <renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0" forceraster="0">
  <symbols>
   <symbol alpha="1" clip_to_extent="1" force_rhr="0" name="0" type="fill">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <prop k="line_color" v="60,60,60,255"/>
     <prop k="line_width" v="0.6"/>
     <prop k="line_style" v="dash dot"/>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <layerGeometryType>2</layerGeometryType>
</qgis>
