import { useEffect, useState } from "preact/hooks";
import type { LivePoint } from "../api.ts";
import { askMethod } from "../gateway.ts";
import { rate } from "../parts/format.ts";

/** gantry.v1.CountedSubject in JSON. */
interface CountedSubject {
  readonly quota: string;
  readonly subject: string;
  readonly limit: number;
  readonly remaining: number;
}

const MOST_SHOWN = 3;

/** What quotas decide, and who has used up most of each. */
export function Quotas({ now }: { now: LivePoint }) {
  const subjects = useSubjects(now);
  const quotas = Object.entries(now.workers).flatMap(([worker, { quotas: of }]) =>
    Object.entries(of).map(([id, [allowed, refused]]) => ({ worker, id, allowed, refused })),
  );
  return (
    <section class="card" aria-label="Quotas">
      <h2>Quotas</h2>
      {quotas.length === 0 ? (
        <p class="hint">No worker that is up has a quota.</p>
      ) : (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Quota</th>
                <th class="number">allowed/s</th>
                <th class="number">refused/s</th>
                <th class="subjects">Fullest subjects</th>
              </tr>
            </thead>
            <tbody>
              {quotas.map(({ worker, id, allowed, refused }) => (
                <tr key={`${worker} ${id}`}>
                  <td>
                    {worker}: {id}
                  </td>
                  <td class="number">{rate(allowed)}</td>
                  <td class="number">{rate(refused)}</td>
                  <td class="subjects">
                    <Fullest subjects={(subjects[worker] ?? []).filter(({ quota }) => quota === id)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Fullest({ subjects }: { subjects: readonly CountedSubject[] }) {
  return (
    <ul>
      {Array.from({ length: MOST_SHOWN }, (_, index) => subjects[index]).map((each, index) => (
        <li key={each?.subject ?? index}>
          {each && (
            <>
              <meter min={0} max={each.limit} high={each.limit * 0.8} value={each.limit - each.remaining} />{" "}
              <span class="whom">{each.subject === "" ? "everybody" : each.subject}</span>{" "}
              <small>
                {each.limit - each.remaining} of {each.limit}
              </small>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}

type Subjects = Readonly<Record<string, readonly CountedSubject[]>>;

/** Asked with each new point, of the workers that are up and have quotas. */
function useSubjects({ at, workers }: LivePoint): Subjects {
  const [subjects, setSubjects] = useState<Subjects>({});
  const asked = Object.entries(workers)
    .filter(([, { up, quotas }]) => up && Object.keys(quotas).length > 0)
    .map(([name]) => name)
    .join(" ");
  useEffect(() => {
    let isLeft = false;
    const load = async (name: string) => {
      const { message } = await askMethod(`${name}:gantry.v1.Admin/Subjects`);
      // An answer is the method's message in JSON.
      return [name, (message as { subjects?: CountedSubject[] } | undefined)?.subjects ?? []] as const;
    };
    void Promise.all(asked.split(" ").filter(Boolean).map(load)).then((answers) => {
      if (!isLeft) setSubjects(Object.fromEntries(answers));
    });
    return () => {
      isLeft = true;
    };
  }, [at, asked]);
  return subjects;
}
