/** The pickle is damaged, or asks for something that is not data; the message continues the sentence "the pickle …". */
export class PickleRefused extends Error {
  override readonly name = "PickleRefused";
}
