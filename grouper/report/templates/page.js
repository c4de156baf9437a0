// Draws every figure.chart from the JSON beside it. A figure stays hidden until its chart stands,
// so a page without scripts shows its tables and no empty boxes.
(function () {
  "use strict";
  var drawn = [];
  var locale = document.documentElement.lang.indexOf("zh") === 0 ? "ZH" : "EN";
  document.querySelectorAll("figure.chart").forEach(function (figure) {
    figure.hidden = false;
    try {
      var option = JSON.parse(figure.querySelector("script").textContent);
      var chart = echarts.init(figure.querySelector(".canvas"), null, { renderer: "svg", locale: locale });
      chart.setOption(option);
      drawn.push(chart);
    } catch (error) {
      figure.hidden = true;
      console.error(error);
    }
  });
  // with a view box the drawing scales with its box, which is how the style sheet fits it to paper
  function scalable() {
    document.querySelectorAll("figure.chart svg").forEach(function (svg) {
      svg.setAttribute("viewBox", "0 0 " + svg.getAttribute("width") + " " + svg.getAttribute("height"));
    });
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
