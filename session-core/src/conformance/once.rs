use std::time::Duration;

use crate::{
    Claim, Claimed, OnceStore,
    conformance::{
        Instances,
        given::new_id,
        race::{ROUNDS, at_once, both},
        users::NAMES,
    },
};

/// The lease of claims that have to hold as long as the behaviour runs.
pub(super) const LONG: Duration = Duration::from_secs(60 * 60);

/// The lease of claims that lapse at once; nothing may be asserted of them before.
pub(super) const BRIEF: Duration = Duration::from_millis(80);

/// A name that no other work in the database has.
pub(super) fn new_work() -> String {
    format!("work {}", new_id())
}

pub(super) fn claim_of(name: &str) -> Claim {
    Claim::new(name).unwrap()
}

/// A claim of new work that holds.
async fn held(store: &impl OnceStore, lease: Duration) -> Claim {
    let claim = claim_of(&new_work());
    assert_eq!(store.claim(&claim, lease).await.unwrap(), Claimed::Mine);
    claim
}

/// A claim of new work that has lapsed.
async fn lapsed(store: &impl OnceStore) -> Claim {
    let claim = held(store, BRIEF).await;
    tokio::time::sleep(BRIEF * 3).await;
    claim
}

/// What somebody else who claims the work hears.
async fn tried(store: &impl OnceStore, claim: &Claim) -> Claimed {
    store.claim(&claim_of(claim.name()), LONG).await.unwrap()
}

/// Work that is claimed is nobody else's to do, on any instance.
pub async fn claimed_work_is_taken_for_all_others([one, other]: &Instances) {
    let claim = held(one, LONG).await;
    for store in [one, other, one] {
        assert_eq!(tried(store, &claim).await, Claimed::Taken);
    }
    assert!(other.finish(&claim).await.unwrap());
}

/// Whoever did not hear that a claim was made may make it again.
pub async fn a_repeated_claim_is_answered_alike([one, other]: &Instances) {
    let claim = held(one, LONG).await;
    for store in [one, other] {
        assert_eq!(store.claim(&claim, LONG).await.unwrap(), Claimed::Mine);
    }
    // It is a claim for a whole lease again.
    let claim = held(one, BRIEF).await;
    assert_eq!(other.claim(&claim, LONG).await.unwrap(), Claimed::Mine);
    tokio::time::sleep(BRIEF * 3).await;
    assert_eq!(tried(one, &claim).await, Claimed::Taken);
    assert!(one.finish(&claim).await.unwrap());
    assert_eq!(other.claim(&claim, LONG).await.unwrap(), Claimed::Done);
}

/// Work that is finished is done for whoever claims it.
pub async fn finished_work_is_done_for_all([one, other]: &Instances) {
    let claim = held(one, LONG).await;
    assert!(one.finish(&claim).await.unwrap());
    for store in [one, other] {
        assert_eq!(tried(store, &claim).await, Claimed::Done);
    }
}

/// Nothing undoes what is done: no time, no holder, nobody else.
pub async fn finished_work_stays_done([one, other]: &Instances) {
    let claim = held(one, BRIEF * 20).await;
    assert!(one.finish(&claim).await.unwrap());
    assert!(!one.keep(&claim, BRIEF).await.unwrap());
    one.give_back(&claim).await.unwrap();
    other.give_back(&claim_of(claim.name())).await.unwrap();
    tokio::time::sleep(BRIEF * 22).await;
    assert_eq!(tried(one, &claim).await, Claimed::Done);
    assert_eq!(other.claim(&claim, LONG).await.unwrap(), Claimed::Done);
    assert!(!other.finish(&claim_of(claim.name())).await.unwrap());
}

/// Whoever did not hear that the end was recorded may record it again.
pub async fn a_repeated_end_is_answered_alike([one, other]: &Instances) {
    let claim = held(one, BRIEF * 20).await;
    assert!(one.finish(&claim).await.unwrap());
    tokio::time::sleep(BRIEF * 22).await;
    assert!(other.finish(&claim).await.unwrap());
}

/// Work that is given back is the next one's to do, at once.
pub async fn work_given_back_is_free([one, other]: &Instances) {
    let claim = held(one, LONG).await;
    one.give_back(&claim).await.unwrap();
    one.give_back(&claim).await.unwrap();
    assert!(!one.keep(&claim, LONG).await.unwrap());
    assert!(!one.finish(&claim).await.unwrap());
    let next = claim_of(claim.name());
    assert_eq!(other.claim(&next, LONG).await.unwrap(), Claimed::Mine);
    // A repetition that comes late is no harm to the next one.
    one.give_back(&claim).await.unwrap();
    assert_eq!(tried(one, &claim).await, Claimed::Taken);
    assert!(other.finish(&next).await.unwrap());
}

/// Who has no claim, or never made one, changes nothing.
pub async fn only_the_holder_keeps_finishes_and_gives_back([one, other]: &Instances) {
    let claim = held(one, LONG).await;
    let stranger = claim_of(claim.name());
    assert!(!other.keep(&stranger, BRIEF).await.unwrap());
    assert!(!other.finish(&stranger).await.unwrap());
    other.give_back(&stranger).await.unwrap();
    tokio::time::sleep(BRIEF * 3).await;
    assert_eq!(tried(other, &claim).await, Claimed::Taken);

    let unclaimed = claim_of(&new_work());
    assert!(!one.keep(&unclaimed, LONG).await.unwrap());
    assert!(!one.finish(&unclaimed).await.unwrap());
    one.give_back(&unclaimed).await.unwrap();
    assert_eq!(tried(other, &unclaimed).await, Claimed::Mine);
}

/// A claim that nobody keeps is over with its lease.
pub async fn a_claim_lapses([one, other]: &Instances) {
    let claim = lapsed(one).await;
    assert!(!one.keep(&claim, LONG).await.unwrap());
    assert_eq!(tried(other, &claim).await, Claimed::Mine);
    assert_eq!(tried(one, &claim).await, Claimed::Taken);
}

/// A heartbeat lets a claim hold for a lease from then on.
pub async fn a_kept_claim_outlives_its_lease([one, other]: &Instances) {
    let lease = BRIEF * 20;
    let claim = held(one, lease).await;
    assert!(one.keep(&claim, LONG).await.unwrap());
    tokio::time::sleep(lease + BRIEF).await;
    assert_eq!(tried(other, &claim).await, Claimed::Taken);
    assert!(one.keep(&claim, BRIEF).await.unwrap());
    tokio::time::sleep(BRIEF * 3).await;
    assert_eq!(tried(other, &claim).await, Claimed::Mine);
}

/// Whoever is late may have been replaced, so its end counts for nothing, whether it has been or not.
pub async fn a_holder_whose_claim_lapsed_cannot_finish([one, other]: &Instances) {
    let claim = lapsed(one).await;
    assert!(!one.finish(&claim).await.unwrap());
    assert_eq!(tried(other, &claim).await, Claimed::Mine);
    assert!(!one.finish(&claim).await.unwrap());
    assert_eq!(tried(one, &claim).await, Claimed::Taken);
}

/// Nor can it when the one who replaced it gave the work back, or finished it.
pub async fn a_holder_who_was_replaced_cannot_finish([one, other]: &Instances) {
    for finishes in [false, true] {
        let claim = lapsed(one).await;
        let next = claim_of(claim.name());
        assert_eq!(other.claim(&next, LONG).await.unwrap(), Claimed::Mine);
        if finishes {
            assert!(other.finish(&next).await.unwrap());
        } else {
            other.give_back(&next).await.unwrap();
        }
        assert!(!one.keep(&claim, LONG).await.unwrap());
        assert!(!one.finish(&claim).await.unwrap());
        let expected = if finishes { Claimed::Done } else { Claimed::Mine };
        assert_eq!(tried(one, &claim).await, expected);
    }
}

/// Work may have any name, and names that differ in little name other work.
pub async fn names_of_work_do_not_collide([one, other]: &Instances) {
    let mark = new_id().to_string();
    let names = NAMES.iter().map(|name| name.replace('#', &mark));
    let claims: Vec<Claim> = names.map(|name| claim_of(&name)).collect();
    for claim in &claims {
        assert_eq!(one.claim(claim, LONG).await.unwrap(), Claimed::Mine, "{claim:?}");
    }
    for (i, claim) in claims.iter().enumerate() {
        assert!(other.finish(claim).await.unwrap(), "{claim:?}");
        for (j, claim) in claims.iter().enumerate() {
            let expected = if j <= i { Claimed::Done } else { Claimed::Taken };
            assert_eq!(tried(one, claim).await, expected, "{claim:?}");
        }
    }
}

/// A name may have 255 bytes.
pub async fn the_longest_name_of_work_is_kept([one, other]: &Instances) {
    let name = format!("{}{}", new_id(), "é".repeat(111)) + "x";
    assert_eq!(name.len(), 255);
    let claim = claim_of(&name);
    assert_eq!(one.claim(&claim, LONG).await.unwrap(), Claimed::Mine);
    assert_eq!(tried(other, &claim).await, Claimed::Taken);
    assert_eq!(tried(other, &claim_of(&name[..254])).await, Claimed::Mine);
    assert!(one.finish(&claim).await.unwrap());
    assert_eq!(tried(other, &claim).await, Claimed::Done);
}

/// Of many who claim work at once, one gets it.
pub async fn of_claims_at_once_one_holds(instances: &Instances) {
    for _ in 0..ROUNDS {
        let name = new_work();
        let answers = at_once(instances, 8, |instances, i| {
            let claim = claim_of(&name);
            async move { instances[i % 2].claim(&claim, LONG).await.unwrap() }
        })
        .await;
        let mine = answers.iter().filter(|answer| **answer == Claimed::Mine);
        assert_eq!(mine.count(), 1, "{answers:?}");
        assert!(!answers.contains(&Claimed::Done), "{answers:?}");
    }
}

/// An end that comes as the claim lapses counts, or the next one gets the work: never both, never neither.
pub async fn a_late_end_races_with_the_next_claim(instances: &Instances) {
    const LEASE: Duration = Duration::from_millis(20);
    for round in 0..ROUNDS {
        let claim = held(&instances[0], LEASE).await;
        // Around the moment when it lapses, for a store that answers at once.
        tokio::time::sleep(LEASE * (round as u32 % 5) / 4).await;
        let (late, next) = (claim.clone(), claim_of(claim.name()));
        let (finished, mut claimed) = both(
            instances,
            |[one, _]| async move { one.finish(&late).await.unwrap() },
            |[_, other]| async move { other.claim(&next, LONG).await.unwrap() },
        )
        .await;
        if claimed == Claimed::Taken {
            tokio::time::sleep(LEASE * 3).await;
            claimed = tried(&instances[1], &claim).await;
        }
        let expected = if finished { Claimed::Done } else { Claimed::Mine };
        assert_eq!(claimed, expected);
    }
}
