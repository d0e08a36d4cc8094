export { UNRULY_SERVER, UnrulyStage } from './unruly-stage.js';
