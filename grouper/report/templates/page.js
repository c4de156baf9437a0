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
  function resize(width) {
    drawn.forEach(function (chart) { chart.resize(width ? { width: width } : undefined); });
  }
  var waiting = 0;
  window.addEventListener("resize", function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(function () { resize(0); }, 100);
  });
  // paper is laid out after the event, so the width of a landscape A4 page is given as a number
  window.addEventListener("beforeprint", function () { resize(980); });
  window.addEventListener("afterprint", function () { resize(0); });
})();
