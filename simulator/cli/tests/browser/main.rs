//! The page of a live lab, in chromium, with a guest. Without chromium and chromedriver these tests
//! are skipped, and say so.

mod broken;
mod browser;
mod faults;
mod gone;
mod held;
mod lab;
mod many;
mod memory;
#[path = "../command/place.rs"]
#[allow(dead_code, reason = "the tests of the command use the rest of it")]
mod place;
mod saved;
mod still;
mod terminal;
mod together;
mod tools;

use lab::Lab;
use place::Place;
use tools::Tools;

#[tokio::test]
async fn what_is_done_in_the_page_becomes_a_scenario_that_passes() {
    let Some(tools) = Tools::find() else { return };
    let place = Place::new();
    let lab = Lab::up(&place, "done");
    let page = tools.open(&lab.address).await;
    still::the_picture_stands_still(&page).await;
    broken::a_controller_fails_and_is_restored(&page).await;
    faults::a_rule_is_added_and_removed(&page).await;
    held::two_acts_happen_at_one_time(&page).await;
    terminal::a_command_is_typed(&page).await;
    let story = saved::the_story(&page).await;
    drop(page);
    lab.down();
    saved::it_passes(&place, &story);
}

#[tokio::test]
async fn a_lab_serves_many_and_outlives_them() {
    let Some(tools) = Tools::find() else { return };
    let place = Place::new();
    let lab = Lab::up(&place, "many");
    let page = tools.open(&lab.address).await;
    together::all_see_the_same_acts(&tools, &lab, &page).await;
    gone::a_killed_browser_leaves_nothing(&tools, &lab).await;
    many::a_thousand_events_a_second(&lab, &page).await;
    drop(page);
    lab.down();
}
