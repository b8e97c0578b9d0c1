use std::time::Duration;

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::timeout;

/// How long each has to answer before the next one is asked as well.
const HEAD_START: Duration = Duration::from_millis(200);

/// Asks several the same, one after the other, and returns the first good answer; or else the last error, if there was
/// anybody to ask. Whoever says nothing keeps nobody from being asked.
pub(crate) async fn ask_in_turn<T, E>(
    questions: impl IntoIterator<Item: Future<Output = Result<T, E>>>,
) -> Option<Result<T, E>> {
    let mut questions = questions.into_iter();
    let mut asked = FuturesUnordered::new();
    let mut failed = None;
    loop {
        match questions.next() {
            Some(question) => asked.push(question),
            None if asked.is_empty() => return failed.map(Err),
            None => {}
        }
        let left = questions.size_hint().0 > 0;
        let answer = if left {
            timeout(HEAD_START, asked.next()).await.ok().flatten()
        } else {
            asked.next().await
        };
        match answer {
            Some(Ok(answer)) => return Some(Ok(answer)),
            Some(Err(error)) => failed = Some(error),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        pin::Pin,
    };

    use super::*;

    type Question = Pin<Box<dyn Future<Output = Result<u8, u8>>>>;

    fn says(answer: Result<u8, u8>) -> Question {
        Box::pin(ready(answer))
    }

    #[tokio::test]
    async fn whoever_says_nothing_keeps_nobody_from_being_asked() {
        let silent = || Box::pin(pending()) as Question;
        assert_eq!(
            ask_in_turn([silent(), says(Err(1)), silent(), says(Ok(2))]).await,
            Some(Ok(2))
        );
        assert_eq!(ask_in_turn([says(Err(1)), says(Err(2))]).await, Some(Err(2)));
        assert_eq!(ask_in_turn([says(Ok(1)), says(Ok(2))]).await, Some(Ok(1)));
        assert_eq!(ask_in_turn(Vec::<Question>::new()).await, None);
    }
}
