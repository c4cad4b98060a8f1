/** An address that stands for no page. */
import { Message } from "../components/basics.tsx";

export function UnknownPage() {
  return (
    <Message title="There is no such page">
      <a class="link" href="#/">
        Go to the overview
      </a>
    </Message>
  );
}
