// The settings' small helpers: the strip of pages on a phone begins at the page that is open.
document.querySelector(".set-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
