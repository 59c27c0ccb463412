//! Saving the story.

use crate::{
    browser::Browser,
    place::{Place, summary, text},
};

/// The story as the page shows it.
pub(crate) async fn the_story(page: &Browser) -> String {
    page.click("#save").await;
    page.sees("#saved").await;
    let story = page.script("return document.querySelector('#saved').textContent").await;
    let story = story.as_str().expect("a text").to_owned();
    for part in ["fail = \"controller A\"", "name = \"twice\"", "port = \"A0\"", "[[expect]]"] {
        assert!(story.contains(part), "{part:?} is missing:\n{story}");
    }
    story
}

pub(crate) fn it_passes(place: &Place, story: &str) {
    let file = place.scenario(story);
    let mut check = place.sansim();
    let checked = check.arg("check").arg(&file).output().expect("sansim");
    assert!(checked.status.success(), "{}", text(&checked));
    let ran = place.run(&file).output().expect("sansim");
    assert!(ran.status.success(), "{}\n{story}", text(&ran));
    assert_eq!(summary(place)["verdict"], "pass");
}
