<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" nodataColor="" classificationMin="0" classificationMax="100">
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" minimumValue="0" maximumValue="100">
     <item value="0" color="#ffffff" alpha="0" label="0 %"/>
     <item value="50" color="#fee08b" alpha="160" label="50 %"/>
     <item value="80" color="#fd8d3c" alpha="220" label="80 %"/>
     <item value="100" color="#d7191c" alpha="255" label="100 %"/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
 <blendMode>0</blendMode>
</qgis>
