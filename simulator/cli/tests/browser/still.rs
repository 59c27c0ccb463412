//! The picture stands still: in no size of the window does a scroll bar come and go.

use crate::browser::Browser;

/// Sizes of the window in pixels: a laptop, small ones in which the picture is just high enough or not, a
/// projector.
const SIZES: [(u32, u32); 6] =
    [(1280, 800), (1280, 720), (1111, 777), (1024, 900), (900, 1000), (1920, 1080)];

/// Notes the sizes of the picture and of its place in every frame.
const WATCH: &str = "window.watching?.(); let on = true; window.watching = () => { on = false; }; \
    window.frames = 0; window.pictures = new Set(); const place = document.getElementById('topology'); \
    const look = () => { if (!on) return; window.frames += 1; const svg = place.firstElementChild; \
    const now = [place.clientWidth, place.clientHeight, svg.getAttribute('width'), svg.getAttribute('height')]; \
    if (window.frames > 10) window.pictures.add(now.join(' ')); requestAnimationFrame(look); }; look();";

pub(crate) async fn the_picture_stands_still(page: &Browser) {
    page.sees("[data-thing='hba1:B1'] .chip").await;
    for (width, height) in SIZES {
        page.resize(width, height).await;
        page.script(WATCH).await;
        page.until("frames", "window.frames > 60").await;
        let pictures = page.script("return [...window.pictures]").await;
        assert_eq!(pictures.as_array().map(Vec::len), Some(1), "{width} by {height}: {pictures}");
    }
    let (width, height) = SIZES[0];
    page.resize(width, height).await;
}
