import { expect, it } from 'vitest';
import { lineOfAddress } from '../../../audit/report/line-of-address.ts';

const TEXT = `{
  "resource": {
    "aws_sns_topic": {
      "events": {
        "name": "events"
      }
    }
  },
  "data": { "aws_vpcs": { "found":
    {} } },
  "variable": {
    "image": {}
  },
  "output": {
    "url": { "value": "x" }
  },
  "terraform": {
  }
}
`;

it.each([
  ['aws_sns_topic.events', 4],
  ['aws_sns_topic.events main', 4],
  ['data.aws_vpcs.found', 9],
  ['var.image', 12],
  ['output.url', 15],
  ['terraform', 17],
  ['aws_sns_topic.gone', 1],
])('%s is on line %i', (address, line) => {
  expect(lineOfAddress(TEXT, address)).toBe(line);
});
