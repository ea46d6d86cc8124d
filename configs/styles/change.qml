<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" nodataColor="">
   <colorPalette>
    <paletteEntry value="0" color="#ffffff" alpha="0" label="无变化"/>
    <paletteEntry value="1" color="#d7191c" alpha="255" label="植被变裸地"/>
    <paletteEntry value="2" color="#984ea3" alpha="255" label="植被变建筑"/>
    <paletteEntry value="3" color="#ff7f00" alpha="255" label="裸地变建筑"/>
    <paletteEntry value="4" color="#a65628" alpha="255" label="裸露面变化"/>
    <paletteEntry value="5" color="#377eb8" alpha="255" label="水面变裸地"/>
    <paletteEntry value="255" color="#808080" alpha="96" label="未观测"/>
   </colorPalette>
  </rasterrenderer>
 </pipe>
 <blendMode>0</blendMode>
</qgis>
