// Applies the remembered theme before the first paint, so that the page does not flash. In: `plumbline.theme` in local
// storage (`light`, `dark`, or nothing). Out: `data-theme` on the root element, which tokens.css reads.
try {
  const theme = localStorage.getItem("plumbline.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden: the system's theme it is.
}
