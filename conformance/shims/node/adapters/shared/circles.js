//! Groups and rooms. The generations differ in the names of the calls; each adapter has them in a table.

'use strict';

(kit) => {
  const { shown } = kit;

  /** Members that a room or group made here may have: the vendor's default for a group. */
  const MEMBERS_MAX = 200;

  /**
   * The SDK's names for what is done with groups, or with rooms; `id` and `announceId` are what those calls name the id.
   * @typedef {Record<string, string>} Names
   */

  /**
   * @param {(name: string, options: object, done?: (body: object) => void) => void} request makes a call, shows its failure
   * @param {{group: Names, room: Names}} names
   * @param {{made_group?: (body: object) => void}} shows what the SDK has no callback for
   */
  kit.circleCommands = ({ settings, tell }, request, names, shows = {}) => ({
    ...groupCommands(request, names.group, settings, shows.made_group),
    ...roomCommands(request, names.room, tell),
    ...staffCommands(request, names),
  });

  function groupCommands(request, names, { username }, made) {
    return {
      create_group: ({ name, members, public: isPublic = true, approval = false, confirm_invites = false }) =>
        request(
          names.create,
          {
            data: {
              groupname: name,
              desc: name,
              members,
              public: isPublic,
              approval,
              allowinvites: true,
              inviteNeedConfirm: confirm_invites,
              maxusers: MEMBERS_MAX,
            },
          },
          made,
        ),
      join_group: ({ group }) => request(names.join, { groupId: group, message: '' }),
      leave_group: ({ group }) => request(names.leave, { groupId: group }),
      dissolve_group: ({ group }) => request(names.dissolve, { groupId: group }),
      change_owner: ({ group, user }) => request(names.changeOwner, { groupId: group, newOwner: user }),
      invite_to_group: ({ group, users }) => request(names.invite, { groupId: group, users }),
      remove_from_group: ({ group, users }) => request(names.remove, { groupId: group, users }),
      accept_invite: ({ group }) => request(names.acceptInvite, { groupId: group, invitee: username }),
      decline_invite: ({ group }) => request(names.declineInvite, { groupId: group, invitee: username }),
      accept_applicant: ({ group, user }) => request(names.acceptApplicant, { groupId: group, applicant: user }),
      decline_applicant: ({ group, user }) => request(names.declineApplicant, { groupId: group, applicant: user, reason: '' }),
    };
  }

  function roomCommands(request, names, tell) {
    const made = (body) => tell('create_room', { room: shown(body?.data?.id) });
    return {
      create_room: ({ name, members }) =>
        request(names.create, { name, description: name, maxusers: MEMBERS_MAX, members }, made),
      join_room: ({ room }) => request(names.join, { roomId: room, message: '' }),
      leave_room: ({ room }) => request(names.leave, { roomId: room }),
      remove_from_room: ({ room, users }) => request(names.remove, { chatRoomId: room, users }),
    };
  }

  /** What owners and administrators do; where the SDK's call takes one user, one call for each. */
  function staffCommands(request, names) {
    const calls = (chat) => {
      if (!Object.hasOwn(names, chat)) throw new Error(`chat must be group or room, not ${chat}`);
      return names[chat];
    };
    const each = (users, act) => void users.forEach(act);
    return {
      mute: ({ chat, id, users, ms }) =>
        each(users, (username) => request(calls(chat).mute, { [calls(chat).id]: id, username, muteDuration: ms })),
      unmute: ({ chat, id, users }) =>
        each(users, (username) => request(calls(chat).unmute, { [calls(chat).id]: id, username })),
      ban_all: ({ chat, id }) => request(calls(chat).ban, { [calls(chat).id]: id }),
      unban_all: ({ chat, id }) => request(calls(chat).unban, { [calls(chat).id]: id }),
      allow: ({ chat, id, users }) => request(calls(chat).allow, { [calls(chat).id]: id, users }),
      disallow: ({ chat, id, users }) =>
        each(users, (userName) => request(calls(chat).disallow, { [calls(chat).id]: id, userName })),
      set_admin: ({ chat, id, user }) => request(calls(chat).setAdmin, { [calls(chat).id]: id, username: user }),
      remove_admin: ({ chat, id, user }) => request(calls(chat).removeAdmin, { [calls(chat).id]: id, username: user }),
      announce: ({ chat, id, text }) => request(calls(chat).announce, { [calls(chat).announceId]: id, announcement: text }),
    };
  }
};
