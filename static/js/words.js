// Translated words that the server put on <template id="ui-words">.
export function word(name, value = "") {
  const words = document.getElementById("ui-words");
  return (words?.getAttribute(`data-${name}`) ?? "").replace("%s", value);
}
