// Draws the chart of all groups, and the charts and facts of the group that is chosen. Every number
// comes from the JSON beside the charts; nothing is computed here.
(function () {
  "use strict";
  var locale = document.documentElement.lang.indexOf("zh") === 0 ? "ZH" : "EN";
  var drawn = [];
  function draw(id) {
    var canvas = document.getElementById(id);
    if (!canvas) { return null; }
    var figure = canvas.parentNode;
    figure.hidden = false;
    var chart = echarts.init(canvas, null, { renderer: "svg", locale: locale });
    chart.setOption(JSON.parse(figure.querySelector("script").textContent));
    drawn.push(chart);
    return chart;
  }
  // with a view box the drawing scales with its box, which is how the style sheet fits it to paper
  function scalable() {
    document.querySelectorAll("figure.chart svg").forEach(function (svg) {
      svg.setAttribute("viewBox", "0 0 " + svg.getAttribute("width") + " " + svg.getAttribute("height"));
    });
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
  var scatter = draw("scatter");
  var source = document.getElementById("groups-data");
  if (source) {
    var groups = JSON.parse(source.textContent);
    var choose = document.getElementById("choose");
    document.getElementById("chosen").hidden = false;
    var costs = draw("costs"), years = draw("years");
    var show = function (code) {
      var one = groups[code];
      choose.value = code;
      document.querySelectorAll("[data-title]").forEach(function (place) { place.textContent = one.title; });
      costs.setOption({ series: [{
        data: one.costs.steps,
        markArea: band("xAxis", one.costs.kept, one.costs.colour),
        markLine: lines(one.costs.lines, "end")
      }] });
      if (years) {
        years.setOption({ xAxis: { data: one.years.labels }, yAxis: { min: one.years.axis[0], max: one.years.axis[1] }, series: [{
          data: one.years.values,
          markArea: band("yAxis", one.years.band, one.costs.colour),
          markLine: lines([{ name: one.years.weight, yAxis: one.years.weight }], "insideEndTop")
        }] });
      }
      var list = document.getElementById("facts");
      list.textContent = "";
      one.facts.forEach(function (fact) {
        var item = document.createElement("li");
        ["label", "value"].forEach(function (kind, at) {
          var part = document.createElement("span");
          part.className = kind;
          part.textContent = fact[at];
          item.appendChild(part);
        });
        list.appendChild(item);
      });
      scalable();
    };
    choose.addEventListener("change", function () { show(choose.value); });
    if (scatter) {
      scatter.on("click", function (event) {
        if (groups[event.name]) {
          show(event.name);
          document.getElementById("group").scrollIntoView();
        }
      });
    }
    show(choose.value);
  }
  var waiting = 0;
  window.addEventListener("resize", function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(function () {
      if (window.matchMedia("print").matches) { return; }
      drawn.forEach(function (chart) { chart.resize(); });
      scalable();
    }, 100);
  });
  scalable();
})();
