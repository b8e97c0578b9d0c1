use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    Claimed, Error,
    conformance::{
        Instances,
        once::{BRIEF, LONG, claim_of, new_work},
        race::at_once,
    },
    once::run_once_with,
    run_once,
};

/// How long work takes that others are to meet.
const A_WHILE: Duration = Duration::from_millis(100);

/// Of many who run work at once, on several instances, one does it, and all return when it is done.
pub async fn eight_callers_at_once_do_work_once(instances: &Instances) {
    let name = new_work();
    let (begun, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let here = at_once(instances, 8, |instances, i| {
        let (name, begun, done) = (name.clone(), begun.clone(), done.clone());
        async move {
            let here = run_once(&instances[i % 2], &name, async || {
                begun.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(A_WHILE).await;
                done.fetch_add(1, Ordering::SeqCst);
                Ok(())
            });
            let here = here.await.unwrap();
            assert_eq!(done.load(Ordering::SeqCst), 1, "it returned before the work was done");
            here
        }
    })
    .await;
    assert_eq!(here.iter().filter(|here| **here).count(), 1, "{here:?}");
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}

/// What is done is not begun again by whoever comes later, on any instance.
pub async fn work_is_done_once_for_those_who_come_later([one, other]: &Instances) {
    let name = new_work();
    assert!(run_once(one, &name, async || Ok(())).await.unwrap());
    for store in [one, other] {
        let here = run_once(store, &name, async || panic!("it is done")).await;
        assert!(!here.unwrap());
    }
}

/// Work of another name is done on its own, also while the first is being done.
pub async fn another_name_is_other_work([one, other]: &Instances) {
    let (first, second) = (new_work(), new_work());
    let here = run_once(one, &first, async || {
        assert!(run_once(other, &second, async || Ok(())).await?);
        Ok(())
    });
    assert!(here.await.unwrap());
}

/// Work that is dropped half-way is given back at once, and done by the next one.
pub async fn work_dropped_half_way_is_done_by_the_next([one, other]: &Instances) {
    let name = new_work();
    let half = run_once_with(one, &name, LONG, async || pending().await);
    assert!(tokio::time::timeout(A_WHILE * 3, half).await.is_err());
    assert!(run_once(other, &name, async || Ok(())).await.unwrap());
}

/// Work whose holder died is done by whoever waits, when the claim lapses.
pub async fn work_of_a_dead_holder_is_done_by_the_next([one, other]: &Instances) {
    let name = new_work();
    let dead = claim_of(&name);
    assert_eq!(one.claim(&dead, BRIEF * 5).await.unwrap(), Claimed::Mine);
    assert!(run_once(other, &name, async || Ok(())).await.unwrap());
    assert!(!one.finish(&dead).await.unwrap());
}

/// Work that fails is given back: its caller hears why, and those who wait try it in turn.
pub async fn failing_work_is_given_back(instances: &Instances) {
    let name = new_work();
    let begun = Arc::new(AtomicUsize::new(0));
    let answers = at_once(instances, 4, |instances, i| {
        let (name, begun) = (name.clone(), begun.clone());
        async move {
            run_once(&instances[i % 2], &name, async || {
                let earlier = begun.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(A_WHILE).await;
                if earlier < 2 { Err("no contacts")? } else { Ok(()) }
            })
            .await
        }
    })
    .await;
    assert_eq!(begun.load(Ordering::SeqCst), 3);
    let failures = answers.iter().filter_map(|answer| answer.as_ref().err());
    let failures: Vec<_> = failures
        .map(|error| match error {
            Error::Work { name: failed, source } if *failed == name => source.to_string(),
            _ => panic!("not the work's failure: {error:?}"),
        })
        .collect();
    assert_eq!(failures, ["no contacts"; 2]);
    let here = answers.iter().filter(|answer| matches!(answer, Ok(true)));
    assert_eq!(here.count(), 1, "{answers:?}");
}
