// What keeps people from using the present page, as lists that should be empty.
() => {
  const all = (selector) => [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  const brief = (one) => one.outerHTML.slice(0, 120);

  const isNamed = (one) => one.labels?.length || one.getAttribute("aria-label")
    || one.textContent.trim() || one.getAttribute("aria-labelledby");
  const controls = "button, input, select, textarea, a[href], summary, [role=img]";

  const referred = all("[aria-describedby], [aria-labelledby]").flatMap((one) =>
    ["aria-describedby", "aria-labelledby"].flatMap((name) => (one.getAttribute(name) || "").split(" ")));
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);

  // Text needs 4.5 : 1 of what lies behind it (WCAG AA).
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const parts = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((value) =>
      (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const contrast = (one) => {
    const [a, b] = [luminance(parts(getComputedStyle(one).color)), luminance(behind(one))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const texts = all("body *").filter((one) => !one.closest("svg, :disabled, .hidden, .arrow")
    && [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));

  const levels = all("h1, h2, h3").map((one) => Number(one.tagName[1]));
  return {
    unnamed: all(controls).filter((one) => !isNamed(one)).map(brief),
    tables: all("table").filter((one) => !one.caption || !one.querySelector("th[scope]")).map(brief),
    dangling: referred.filter((id) => id && !ids.includes(id)),
    twice: ids.filter((id, at) => ids.indexOf(id) !== at),
    headings: levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1),
    faint: texts.filter((one) => contrast(one) < 4.5).map((one) => `${contrast(one).toFixed(1)} ${brief(one)}`),
    wide: document.documentElement.scrollWidth > innerWidth ? [document.documentElement.scrollWidth] : [],
  };
}
