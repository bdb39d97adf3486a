// Shows the OpenAPI document that stands in the page. It is in there, so that the page works from a file, too.
Redoc.init(
  JSON.parse(document.getElementById("openapi").textContent),
  {
    hideDownloadButton: true,
    hideHostname: false,
    jsonSampleExpandLevel: 3,
    nativeScrollbars: true,
    pathInMiddlePanel: true,
    sortRequiredPropsFirst: true,
    theme: {
      typography: {
        fontFamily: "system-ui, sans-serif",
        headings: { fontFamily: "system-ui, sans-serif", fontWeight: "600" },
        code: { fontFamily: "ui-monospace, monospace" },
      },
      colors: { primary: { main: "#1d4ed8" } },
    },
  },
  document.getElementById("reference"),
);
