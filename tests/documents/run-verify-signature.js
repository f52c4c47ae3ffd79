// Runs verify-signature.js, which stands beside this file word for word as in the Aureum API document.
// Standard input: a JSON array of {"body": base64, "signature": text, "secret": text}.
// Standard output: a JSON array, for each of them true, false, or the name of the error that was thrown.
const fs = require('fs');
const path = require('path');

const source = fs.readFileSync(path.join(__dirname, 'verify-signature.js'), 'utf8');
const verifySignature = new Function('require', `${source}\nreturn verifySignature;`)(require);

const answers = JSON.parse(fs.readFileSync(0, 'utf8')).map(({ body, signature, secret }) => {
  try {
    return verifySignature(Buffer.from(body, 'base64'), signature, secret);
  } catch (error) {
    return error.name;
  }
});
process.stdout.write(JSON.stringify(answers));
