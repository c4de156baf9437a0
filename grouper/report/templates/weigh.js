// Fills the charts and facts of the group that is chosen. Every number comes from the JSON in the
// page; nothing is computed here. page.js, which comes after this, draws the frames.
(function () {
  "use strict";
  var source = document.getElementById("groups-data");
  if (!source) { return; }
  var groups = JSON.parse(source.textContent);
  var choose = document.getElementById("choose");
  // a chart that is drawn while hidden has no size
  document.getElementById("chosen").hidden = false;
  function chart(id) {
    var canvas = document.getElementById(id);
    return canvas && echarts.getInstanceByDom(canvas);
  }
  function lines(named, position) {
    return {
      silent: true, symbol: "none",
      lineStyle: { color: "#111111", type: "dashed", width: 1.5 },
      label: { show: true, formatter: "{b}", position: position, color: "#111111" },
      data: named
    };
  }
  function band(axis, ends, colour) {
    if (!ends.length) { return { data: [] }; }
    var from = {}, to = {};
    from[axis] = ends[0];
    to[axis] = ends[1];
    return { silent: true, itemStyle: { color: colour }, data: [[from, to]] };
  }
  function showCosts(costs) {
    chart("costs").setOption({ series: [{
      data: costs.steps,
      markArea: band("xAxis", costs.kept, costs.colour),
      markLine: lines(costs.lines, "end")
    }] });
  }
  function showYears(years, colour) {
    var named = [{ name: years.weight, yAxis: years.weight }];
    chart("years").setOption({
      xAxis: { data: years.labels },
      yAxis: { min: years.axis[0], max: years.axis[1] },
      series: [{
        data: years.values,
        markArea: band("yAxis", years.band, colour),
        markLine: lines(named, "insideEndTop")
      }]
    });
  }
  function showFacts(facts) {
    var list = document.getElementById("facts");
    list.textContent = "";
    facts.forEach(function (fact) {
      var item = document.createElement("li");
      ["label", "value"].forEach(function (kind, at) {
        var part = document.createElement("span");
        part.className = kind;
        part.textContent = fact[at];
        item.appendChild(part);
      });
      list.appendChild(item);
    });
  }
  function show(code) {
    var one = groups[code];
    choose.value = code;
    document.querySelectorAll("[data-title]").forEach(function (place) { place.textContent = one.title; });
    showCosts(one.costs);
    if (chart("years")) { showYears(one.years, one.costs.colour); }
    showFacts(one.facts);
  }
  document.addEventListener("DOMContentLoaded", function () {
    choose.addEventListener("change", function () { show(choose.value); });
    if (chart("scatter")) {
      chart("scatter").on("click", function (event) {
        if (groups[event.name]) {
          show(event.name);
          document.getElementById("group").scrollIntoView();
        }
      });
    }
    show(choose.value);
  });
})();
