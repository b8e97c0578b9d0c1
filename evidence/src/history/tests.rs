//! What a browser may conclude from what it sees.

use super::*;

fn view(user: Option<&str>, written: &[(&str, u64)], count: u64) -> View {
    View {
        user: user.map(str::to_owned),
        written: written
            .iter()
            .map(|(key, number)| ((*key).to_owned(), *number))
            .collect(),
        count,
    }
}

fn see(history: &mut History, user: Option<&str>, written: &[(&str, u64)], count: u64) -> Result<(), Broken> {
    history.see(&view(user, written, count)).map_err(|breach| breach.broken)
}

fn logged_in() -> History {
    let mut history = History::new("ann".to_owned());
    history.logged_in();
    history
}

#[test]
fn what_was_acknowledged_must_be_there() {
    let mut history = logged_in();
    history.wrote("a", 1);
    history.counted(1).unwrap();
    assert_eq!(see(&mut history, Some("ann"), &[("a", 1)], 1), Ok(()));
    history.wrote("a", 2);
    assert_eq!(see(&mut history, Some("ann"), &[("a", 1)], 1), Err(Broken::Write));
    history.counted(2).unwrap();
    assert_eq!(see(&mut history, Some("ann"), &[("a", 1)], 1), Err(Broken::Count));
    assert_eq!(history.counted(5).map_err(|breach| breach.broken), Err(Broken::Count));
    assert_eq!(see(&mut history, None, &[], 0), Err(Broken::Session));
}

#[test]
fn what_nobody_knows_may_be_either_until_it_is_seen() {
    let mut history = logged_in();
    history.wrote("a", 1);
    history.may_have_written("a", 2, Instant::now());
    history.may_have_counted(Instant::now());
    assert_eq!(see(&mut history, Some("ann"), &[("a", 2)], 1), Ok(()));
    // It may have been late, and it may not.
    assert_eq!(see(&mut history, Some("ann"), &[("a", 1)], 0), Ok(()));
    history.settle();
    assert_eq!(see(&mut history, Some("ann"), &[("a", 2)], 0), Ok(()));
    assert_eq!(see(&mut history, Some("ann"), &[("a", 1)], 0), Err(Broken::Write));
    assert_eq!(see(&mut history, Some("ann"), &[("a", 1)], 1), Err(Broken::Count));
}

#[test]
fn what_is_lost_is_lost_once_and_what_is_late_may_still_come() {
    let mut history = logged_in();
    history.wrote("a", 1);
    history.counted(1).unwrap();
    history.may_have_written("a", 2, Instant::now());
    history.may_have_counted(Instant::now());
    assert_eq!(see(&mut history, Some("ann"), &[], 0), Err(Broken::Write));
    assert_eq!(see(&mut history, Some("ann"), &[], 0), Ok(()));
    assert_eq!(see(&mut history, Some("ann"), &[("a", 2)], 1), Ok(()));
    history.settle();
    assert_eq!(see(&mut history, Some("ann"), &[("a", 2)], 1), Ok(()));
    assert_eq!(see(&mut history, Some("ann"), &[], 0), Err(Broken::Write));
}

#[test]
fn a_late_write_may_come_after_one_that_was_acknowledged() {
    let mut history = logged_in();
    history.may_have_written("a", 1, Instant::now());
    history.wrote("a", 2);
    assert_eq!(see(&mut history, Some("ann"), &[("a", 1)], 0), Ok(()));
    assert_eq!(see(&mut history, Some("ann"), &[], 0), Err(Broken::Write));
}

#[test]
fn what_was_seen_once_comes_no_second_time() {
    let mut history = logged_in();
    history.may_have_written("a", 5, Instant::now());
    assert_eq!(see(&mut history, Some("ann"), &[("a", 5)], 0), Ok(()));
    history.wrote("a", 6);
    assert_eq!(see(&mut history, Some("ann"), &[("a", 5)], 0), Err(Broken::Write));
}

#[test]
fn a_breach_is_as_old_as_the_oldest_that_is_lost() {
    let mut history = logged_in();
    history.wrote("a", 1);
    let first = Instant::now();
    history.wrote("a", 2);
    let second = Instant::now();
    history.wrote("a", 3);
    let breach = history.see(&view(Some("ann"), &[("a", 2)], 0)).unwrap_err();
    assert!(breach.acknowledged >= second);
    history.wrote("a", 4);
    let breach = history.see(&view(Some("ann"), &[("a", 1)], 0)).unwrap_err();
    assert!((first..=second).contains(&breach.acknowledged));
    // What never was is no loss.
    let breach = history.see(&view(Some("ann"), &[("a", 9)], 0)).unwrap_err();
    assert_eq!(breach.acknowledged, history.began);
}

#[test]
fn a_counter_that_is_too_high_has_lost_nothing() {
    let mut history = logged_in();
    history.counted(1).unwrap();
    let first = Instant::now();
    history.counted(2).unwrap();
    let breach = history.see(&view(Some("ann"), &[], 1)).unwrap_err();
    assert!(breach.acknowledged >= first);
    let breach = history.counted(7).unwrap_err();
    assert_eq!(breach.acknowledged, history.began);
}

#[test]
fn who_is_out_stays_out() {
    let mut history = logged_in();
    history.logged_out();
    assert_eq!(see(&mut history, None, &[], 0), Ok(()));
    assert_eq!(see(&mut history, Some("ann"), &[], 0), Err(Broken::Ended));
}

#[test]
fn nobody_sees_another_user() {
    assert_eq!(see(&mut logged_in(), Some("bob"), &[], 0), Err(Broken::Ended));
}

#[test]
fn an_unknown_logout_may_have_been_one() {
    let mut history = logged_in();
    history.wrote("a", 1);
    history.may_have_ended(Instant::now());
    assert_eq!(see(&mut history, Some("ann"), &[("a", 1)], 0), Ok(()));
    assert_eq!(see(&mut history, None, &[], 0), Ok(()));
    history.settle();
    assert_eq!(see(&mut history, None, &[], 0), Ok(()));
    assert!(history.is_out());
}
